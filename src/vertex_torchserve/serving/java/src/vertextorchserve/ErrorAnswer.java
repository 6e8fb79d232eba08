package vertextorchserve;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Map;
import org.pytorch.serve.util.JsonUtils;
import org.pytorch.serve.util.NettyUtils;

/** {@code {"error": "<message>"}}, which is what Vertex AI asks of a custom container. */
final class ErrorAnswer {

    private ErrorAnswer() {}

    /** Answers the request of this connection, with its id, and closes the connection. */
    static void send(ChannelHandlerContext context, HttpResponseStatus status, String message) {
        send(context, status, message, Map.of());
    }

    /** 503: the same request may be answered some time after so many seconds. */
    static void sendLater(ChannelHandlerContext context, String message, int seconds) {
        Map<CharSequence, Integer> headers = Map.of(HttpHeaderNames.RETRY_AFTER, seconds);
        send(context, HttpResponseStatus.SERVICE_UNAVAILABLE, message, headers);
    }

    static void send(
            ChannelHandlerContext context,
            HttpResponseStatus status,
            String message,
            Map<? extends CharSequence, ?> headers) {
        FullHttpResponse answer = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status);
        headers.forEach((name, value) -> answer.headers().set(name, value));
        fill(answer, message);
        NettyUtils.sendHttpResponse(context, answer, false);
    }

    /** Makes this the body of an answer, in place of the one it has. */
    static void fill(FullHttpResponse answer, String message) {
        String body = JsonUtils.GSON.toJson(Map.of("error", message)) + "\n";
        answer.content().clear();
        ByteBufUtil.writeUtf8(answer.content(), body);
        answer.headers().set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        answer.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, answer.content().readableBytes());
    }
}
