package vertextorchserve.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.PrematureChannelClosureException;
import java.io.IOException;

/**
 * Closes a connection whose client has reset it, or has left in the middle of a body, without a word:
 * the access log has a line for the request.
 *
 * <p>TorchServe's handler logs each of these exceptions as an ERROR of some forty lines. They say nothing
 * of the server, and 1,600 clients that leave at once would keep its threads for more than a second.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class ClientGone extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) throws Exception {
        if (cause instanceof IOException || cause instanceof PrematureChannelClosureException) {
            context.close();
            return;
        }
        super.exceptionCaught(context, cause);
    }
}
