package vertextorchserve;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection whose request is still arriving only when it has arrived, or the client is gone.
 *
 * <p>Bytes that nobody reads make the kernel reset the connection, and the client would lose an answer
 * that came early, such as 413 (RFC 9112, section 9.6).
 */
final class LingeringClose extends ChannelDuplexHandler {

    private static final int MOST_SECONDS = 30; // as long as nginx lingers

    private boolean arriving;
    private boolean lingering;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest) {
            arriving = true;
        }
        // What comes after bytes that are no HTTP has no end that could be waited for.
        boolean broken = message instanceof HttpObject part && part.decoderResult().isFailure();
        if (message instanceof LastHttpContent || broken) {
            arriving = false;
        }
        if (!lingering) {
            super.channelRead(context, message);
            return;
        }
        ReferenceCountUtil.release(message);
        if (!arriving) {
            context.close();
        }
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) throws Exception {
        if (!arriving) {
            super.close(context, promise);
            return;
        }
        context.channel().closeFuture().addListener(closed -> promise.trySuccess());
        if (!lingering) {
            lingering = true;
            context.channel().config().setAutoRead(true);
            context.executor().schedule(() -> context.close(), MOST_SECONDS, TimeUnit.SECONDS);
        }
    }
}
