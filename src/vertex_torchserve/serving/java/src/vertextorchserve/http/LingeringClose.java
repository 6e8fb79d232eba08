package vertextorchserve.http;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/**
 * Delays the close of a connection while a request still arrives on it, until the request has arrived, the
 * client has closed the connection, or 30 s have passed. Behind bytes that are no HTTP there is no end of a
 * request: the client is told at once that nothing follows the answer, and what it still sends is dropped for
 * up to 5 s.
 *
 * <p>When a connection is closed with bytes that nobody has read, the kernel resets it, and the client loses
 * an answer that was sent early, such as 413 (RFC 9112, section 9.6).
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class LingeringClose extends ChannelDuplexHandler {
    private static final int MOST_SECONDS = 30; // as long as nginx lingers

    private static final int MOST_SECONDS_BROKEN = 5; // so long does nginx wait for the next byte

    private boolean arriving; // the rest of a request is still to come
    private boolean broken; // what arrives is not HTTP any more
    private boolean lingering; // somebody has asked for the close already

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest) {
            arriving = true;
        }
        broken |= message instanceof HttpObject part && part.decoderResult().isFailure();
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
        if (!arriving && !broken) {
            super.close(context, promise);
            return;
        }
        context.channel().closeFuture().addListener(closed -> promise.trySuccess());
        if (!lingering) {
            lingering = true;
            context.channel().config().setAutoRead(true);
            if (broken && context.channel() instanceof DuplexChannel connection) {
                connection.shutdownOutput();
            }
            context.executor().schedule(
                    () -> context.close(), broken ? MOST_SECONDS_BROKEN : MOST_SECONDS, TimeUnit.SECONDS);
        }
    }
}
