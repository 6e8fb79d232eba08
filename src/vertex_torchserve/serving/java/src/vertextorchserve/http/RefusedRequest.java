package vertextorchserve.http;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;

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

    /**
     * What the handlers behind the decoder get in place of a request whose head was not passed on.
     *
     * @return a request with this failure, as netty's decoder makes it of one that it can't read.
     */
    public HttpObject inPlaceOfRequest() {
        return failed(new DefaultFullHttpRequest(HttpVersion.HTTP_1_0, HttpMethod.GET, "/bad-request"));
    }

    /**
     * What they get in place of the end of a body.
     *
     * @return an end with this failure.
     */
    public HttpObject inPlaceOfEnd() {
        return failed(new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER));
    }

    private HttpObject failed(HttpObject object) {
        object.setDecoderResult(DecoderResult.failure(this));
        return object;
    }

    static RefusedRequest malformed(String message) {
        return new RefusedRequest(HttpResponseStatus.BAD_REQUEST, message);
    }
}
