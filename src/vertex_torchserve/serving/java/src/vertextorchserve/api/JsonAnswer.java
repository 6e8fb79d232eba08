package vertextorchserve.api;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import org.pytorch.serve.util.NettyUtils;

/** An answer in JSON about what is served; it leaves the connection open. */
final class JsonAnswer {
    private JsonAnswer() {}

    /** Answers the request that is open on a connection. */
    static void send(ChannelHandlerContext context, HttpResponseStatus status, byte[] json) {
        FullHttpResponse answer =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(json));
        answer.headers().set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        NettyUtils.sendHttpResponse(context, answer, true);
    }
}
