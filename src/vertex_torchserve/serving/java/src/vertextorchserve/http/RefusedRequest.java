package vertextorchserve.http;

import io.netty.handler.codec.http.HttpResponseStatus;

/** Why a request is refused before anybody acts on it. Its message is the answer's. */
public final class RefusedRequest extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient HttpResponseStatus status;

    /**
     * A refusal that carries no stack trace, which costs more than the check that failed.
     *
     * @param status 400 or more.
     * @param message what is wrong and what is accepted; nothing of the request stands in it.
     */
    public RefusedRequest(HttpResponseStatus status, String message) {
        super(message, null, false, false);
        this.status = status;
    }

    /**
     * The answer's status.
     *
     * @return 400 or more.
     */
    public HttpResponseStatus status() {
        return status;
    }

    static RefusedRequest malformed(String message) {
        return new RefusedRequest(HttpResponseStatus.BAD_REQUEST, message);
    }
}
