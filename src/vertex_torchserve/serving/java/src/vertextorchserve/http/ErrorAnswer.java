package vertextorchserve.http;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Map;
import org.pytorch.serve.util.JsonUtils;
import org.pytorch.serve.util.NettyUtils;

/**
 * An error with the body {@code {"error": "<message>"}}, which is what Vertex AI asks of a custom container.
 *
 * <p>The senders answer the request that is open on a connection, with its id, and then close the connection.
 * They may be called from any thread.
 */
public final class ErrorAnswer {
    /** A place in the queue, or memory for a body, is free again after any batch. */
    private static final int BUSY_SECONDS = 1;

    private ErrorAnswer() {}

    /**
     * Sends an error.
     *
     * @param context the handler that answers, of the connection to answer on.
     * @param status 400 or more.
     * @param message what is wrong and what the client can do.
     */
    public static void send(ChannelHandlerContext context, HttpResponseStatus status, String message) {
        send(context, status, message, Map.of());
    }

    /**
     * Sends an error with headers of its own.
     *
     * @param context the handler that answers, of the connection to answer on.
     * @param status 400 or more.
     * @param message what is wrong and what the client can do.
     * @param headers added to the answer.
     */
    public static void send(ChannelHandlerContext context, HttpResponseStatus status, String message,
            Map<? extends CharSequence, ?> headers) {
        FullHttpResponse answer = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status);
        headers.forEach((name, value) -> answer.headers().set(name, value));
        fill(answer, message);
        NettyUtils.sendHttpResponse(context, answer, false);
    }

    /**
     * Sends 405, with what is accepted in {@code Allow} too.
     *
     * @param context the handler that answers, of the connection to answer on.
     * @param method of the request.
     * @param allowed the methods that are accepted: {@code POST, PUT}.
     */
    public static void sendOtherMethod(ChannelHandlerContext context, HttpMethod method, String allowed) {
        send(context, HttpResponseStatus.METHOD_NOT_ALLOWED,
                method.name() + " is not accepted here, only " + allowed,
                Map.of(HttpHeaderNames.ALLOW, allowed));
    }

    /**
     * Sends 503 with {@code Retry-After}: the same request may be answered later.
     *
     * @param context the handler that answers, of the connection to answer on.
     * @param message why it is not answered now.
     * @param seconds how long the client should wait.
     */
    public static void sendLater(ChannelHandlerContext context, String message, int seconds) {
        Map<CharSequence, Integer> headers = Map.of(HttpHeaderNames.RETRY_AFTER, seconds);
        send(context, HttpResponseStatus.SERVICE_UNAVAILABLE, message, headers);
    }

    /**
     * Sends 503 because as many requests wait as may wait.
     *
     * @param context the handler that answers, of the connection to answer on.
     * @param waiting how many, with what is counted: {@code 1000 requests}.
     */
    public static void sendBusy(ChannelHandlerContext context, String waiting) {
        String message = waiting + " are waiting, the most that may; send this one again later";
        sendLater(context, message, BUSY_SECONDS);
    }

    /** Makes the error the body of an answer, in place of the one it has. */
    static void fill(FullHttpResponse answer, String message) {
        String body = JsonUtils.GSON.toJson(Map.of("error", message)) + "\n";
        answer.content().clear();
        ByteBufUtil.writeUtf8(answer.content(), body);
        answer.headers().set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        answer.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, answer.content().readableBytes());
    }
}
