package vertextorchserve.worker;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.pytorch.serve.util.messages.InputParameter;
import org.pytorch.serve.util.messages.ModelInferenceRequest;
import org.pytorch.serve.util.messages.ModelWorkerResponse;
import org.pytorch.serve.util.messages.Predictions;
import org.pytorch.serve.util.messages.RequestInput;

/**
 * The messages of TorchServe 0.12 between the server and a worker ({@code ts/protocol/otf_message_handler.py}
 * is the worker's side). Each text and body has its length before it, each list its end behind it.
 */
final class WorkerMessages {
    private static final int INFERENCE = 'I';
    private static final int END_OF_LIST = -1;

    private final WorkerSocket socket;
    private final int mostBytes;

    /**
     * On one connection.
     *
     * @param socket to the worker.
     * @param mostBytes a longer answer, or part of one, is refused.
     */
    WorkerMessages(WorkerSocket socket, int mostBytes) {
        this.socket = socket;
        this.mostBytes = mostBytes;
    }

    /** Sends a batch. */
    void write(ModelInferenceRequest batch) throws IOException, InterruptedException {
        socket.writeByte(INFERENCE);
        for (RequestInput request : batch.getRequestBatch()) {
            writeText(request.getRequestId());
            for (Map.Entry<String, String> header : request.getHeaders().entrySet()) {
                writeText(header.getKey());
                writeText(header.getValue());
            }
            socket.writeInt(END_OF_LIST);
            for (InputParameter part : request.getParameters()) {
                writeText(part.getName());
                writeText(part.getContentType());
                writeBytes(part.getValue());
            }
            socket.writeInt(END_OF_LIST);
        }
        socket.writeInt(END_OF_LIST);
        socket.flush();
    }

    /**
     * Waits for an answer: to a whole batch, or a part of a streamed one.
     *
     * @throws IOException when it is none, or too long.
     */
    ModelWorkerResponse read() throws IOException, InterruptedException {
        ModelWorkerResponse answer = new ModelWorkerResponse();
        answer.setCode(socket.readInt());
        answer.setMessage(readText());
        List<Predictions> predictions = new ArrayList<>();
        int length = socket.readInt();
        while (length != END_OF_LIST) {
            Predictions prediction = new Predictions();
            prediction.setRequestId(text(length));
            prediction.setContentType(readText());
            prediction.setStatusCode(socket.readInt());
            prediction.setReasonPhrase(readText());
            prediction.setHeaders(readHeaders());
            prediction.setResp(bytes(socket.readInt()));
            predictions.add(prediction);
            length = socket.readInt();
        }
        answer.setPredictions(predictions);
        return answer;
    }

    private Map<String, String> readHeaders() throws IOException, InterruptedException {
        Map<String, String> headers = new HashMap<>();
        for (int left = socket.readInt(); left > 0; left--) {
            String name = readText();
            headers.put(name, readText());
        }
        return headers;
    }

    private String readText() throws IOException, InterruptedException {
        return text(socket.readInt());
    }

    private String text(int length) throws IOException, InterruptedException {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }

    private byte[] bytes(int length) throws IOException, InterruptedException {
        if (length < 0 || length > mostBytes) {
            throw new IOException("a worker's answer has a part of " + length + " bytes; 0 to " + mostBytes
                    + " are accepted (max_response_size)");
        }
        return socket.readBytes(length);
    }

    private void writeText(CharSequence text) throws IOException, InterruptedException {
        writeBytes(text == null ? new byte[0] : text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private void writeBytes(byte[] bytes) throws IOException, InterruptedException {
        socket.writeInt(bytes.length);
        socket.writeBytes(bytes);
    }
}
