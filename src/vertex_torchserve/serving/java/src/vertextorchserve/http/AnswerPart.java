package vertextorchserve.http;

import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;

/**
 * Which part of an answer is written to a connection. An answer with a 1xx status, such as 100 Continue, is
 * none: the request's own answer comes later.
 *
 * <p>Called by the handlers of a connection, in its netty thread.
 */
public final class AnswerPart {
    private AnswerPart() {}

    /**
     * Tells whether something belongs to the answer that ends a request.
     *
     * @param message what is written to a connection.
     * @return whether it is a part of an answer with a status of 200 or more.
     */
    public static boolean is(Object message) {
        return message instanceof HttpObject
                && !(message instanceof HttpResponse response
                        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL);
    }

    /**
     * Tells whether something is the end of the answer that ends a request.
     *
     * @param message what is written to a connection.
     * @return whether nothing follows it.
     */
    public static boolean isLast(Object message) {
        return message instanceof LastHttpContent && is(message);
    }
}
