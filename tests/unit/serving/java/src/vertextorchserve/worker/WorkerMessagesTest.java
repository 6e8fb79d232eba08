package vertextorchserve.worker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pytorch.serve.util.codec.ModelRequestEncoder;
import org.pytorch.serve.util.messages.InputParameter;
import org.pytorch.serve.util.messages.ModelInferenceRequest;
import org.pytorch.serve.util.messages.ModelWorkerResponse;
import org.pytorch.serve.util.messages.Predictions;
import org.pytorch.serve.util.messages.RequestInput;

/** The bytes between the server and a worker, on a real socket whose other end is the test. */
class WorkerMessagesTest {
    private static final int MOST_BYTES = 1_000_000;

    private Path folder;
    private WorkerSocket socket;
    private SocketChannel worker;
    private WorkerMessages messages;

    @BeforeEach
    void connect() throws Exception {
        folder = Files.createTempDirectory("vts-");
        Path path = folder.resolve("worker");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            socket = new WorkerSocket(path);
            worker = listener.accept();
        }
        Files.delete(path);
        messages = new WorkerMessages(socket, MOST_BYTES);
        socket.mayTake(60);
    }

    @AfterEach
    void disconnect() throws Exception {
        socket.close();
        worker.close();
        Files.delete(folder);
    }

    @Test
    void aBatchIsWrittenAsTorchServeWritesIt() throws Exception {
        ModelInferenceRequest batch = new ModelInferenceRequest("model");
        batch.addRequest(request("first", "{\"a\": \"\u00e9\"}".getBytes(StandardCharsets.UTF_8)));
        byte[] large = new byte[300_001]; // more than the kernel keeps of what the worker has not read
        Arrays.fill(large, (byte) 7);
        batch.addRequest(request("second", large));
        batch.addRequest(request("third", new byte[0]));
        CompletableFuture<byte[]> read = CompletableFuture.supplyAsync(this::readToTheEnd);
        messages.write(batch);
        socket.close();
        assertArrayEquals(asTorchServe(batch), read.get());
    }

    @Test
    void anAnswerIsReadHoweverItComes() throws Exception {
        byte[] answer = answer("{\"predictions\": [1]}".getBytes(StandardCharsets.UTF_8));
        CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> {
            for (byte one : answer) {
                send(new byte[] {one});
            }
            send(answer);
        });
        for (int time = 0; time < 2; time++) {
            ModelWorkerResponse read = messages.read();
            assertEquals(200, read.getCode());
            assertEquals("Prediction success", read.getMessage());
            assertEquals(1, read.getPredictions().size());
            Predictions prediction = read.getPredictions().get(0);
            assertEquals("first", prediction.getRequestId());
            assertEquals("application/json", prediction.getContentType());
            assertEquals(400, prediction.getStatusCode());
            assertEquals("Bad Request", prediction.getReasonPhrase());
            assertEquals(Map.of("x-one", "1", "x-two", "\u00e9"), prediction.getHeaders());
            assertEquals("{\"predictions\": [1]}", new String(prediction.getResp(), StandardCharsets.UTF_8));
        }
        sent.get();
    }

    @Test
    void aPartThatIsTooLongIsRefused() throws Exception {
        send(answer(new byte[MOST_BYTES + 1]), MOST_BYTES / 10);
        IOException refused = assertThrows(IOException.class, messages::read);
        assertTrue(refused.getMessage().contains("a part of 1000001 bytes; 0 to 1000000 are accepted"));
    }

    @Test
    void aWorkerThatSaysNothingIsNotWaitedForAfterTheDeadline() {
        socket.mayTake(0);
        assertThrows(SocketTimeoutException.class, messages::read);
    }

    @Test
    void aWorkerThatReadsNothingIsNotWaitedForAfterTheDeadline() {
        ModelInferenceRequest batch = new ModelInferenceRequest("model");
        batch.addRequest(request("first", new byte[MOST_BYTES]));
        socket.mayTake(0);
        assertThrows(SocketTimeoutException.class, () -> messages.write(batch));
    }

    @Test
    void theWaitEndsWhenTheThreadIsInterrupted() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, messages::read);
    }

    @Test
    void aWorkerThatHasGoneIsTold() throws Exception {
        worker.close();
        assertThrows(EOFException.class, messages::read);
    }

    private static RequestInput request(String id, byte[] body) {
        RequestInput request = new RequestInput(id);
        request.setHeaders(Map.of("content-type", "application/json"));
        request.addParameter(new InputParameter("body", body, "application/json"));
        request.addParameter(new InputParameter("untyped", "text"));
        return request;
    }

    private static byte[] asTorchServe(ModelInferenceRequest batch) {
        EmbeddedChannel channel = new EmbeddedChannel(new ModelRequestEncoder(false));
        channel.writeOutbound(batch);
        ByteBuf written = channel.readOutbound();
        byte[] bytes = ByteBufUtil.getBytes(written);
        written.release();
        return bytes;
    }

    /** As {@code create_predict_response} of ts/protocol/otf_message_handler.py writes it. */
    private static byte[] answer(byte[] body) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(200);
        text(out, "Prediction success");
        text(out, "first");
        text(out, "application/json");
        out.writeInt(400);
        text(out, "Bad Request");
        out.writeInt(2);
        text(out, "x-one");
        text(out, "1");
        text(out, "x-two");
        text(out, "\u00e9");
        out.writeInt(body.length);
        out.write(body);
        out.writeInt(-1);
        return bytes.toByteArray();
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private void send(byte[] bytes) {
        send(bytes, bytes.length);
    }

    private void send(byte[] bytes, int length) {
        try {
            ByteBuffer rest = ByteBuffer.wrap(bytes, 0, length);
            while (rest.hasRemaining()) {
                worker.write(rest);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] readToTheEnd() {
        try (InputStream in = Channels.newInputStream(worker)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
