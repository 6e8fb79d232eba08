package vertextorchserve.queue;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.util.messages.InputParameter;
import org.pytorch.serve.util.messages.RequestInput;
import org.pytorch.serve.util.messages.WorkerCommands;

/** A request that has no connection. */
final class TestJob extends Job {
    /** How many batches had it. */
    final AtomicInteger taken = new AtomicInteger();

    /** The status and the message it was refused with; null when it was not. */
    volatile String error;

    TestJob(String id) {
        this(id, 1);
    }

    TestJob(String id, int bytes) {
        super("model", "1.0", WorkerCommands.PREDICT, new RequestInput(id));
        getPayload().addParameter(new InputParameter("body", new byte[bytes]));
    }

    @Override
    public void response(
            byte[] body, CharSequence contentType, int status, String phrase, Map<String, String> headers) {
        throw new UnsupportedOperationException("no worker answers here");
    }

    @Override
    public void sendError(int status, String message) {
        error = status + " " + message;
    }

    boolean isOver() {
        return taken.get() > 0 || error != null;
    }

    boolean endedOnce() {
        return error == null ? taken.get() == 1 : taken.get() == 0;
    }

    @Override
    public String toString() {
        return getJobId() + " was in " + taken + " batches, error: " + error;
    }

    @Override
    public boolean isOpen() {
        return true;
    }
}
