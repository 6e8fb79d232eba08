package vertextorchserve.http;

import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;

/** Tells the answers with a 1xx status, such as 100 Continue, from those that end a request. */
public final class InterimResponse {
    private InterimResponse() {}

    /**
     * Called by the handlers of a connection, in its netty thread.
     *
     * @param message what is written to a connection.
     * @return whether it is a response with a status below 200: the real answer comes later.
     */
    public static boolean is(Object message) {
        return message instanceof HttpResponse response
                && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
    }
}
