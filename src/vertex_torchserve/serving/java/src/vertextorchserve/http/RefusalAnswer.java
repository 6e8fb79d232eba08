package vertextorchserve.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.util.ReferenceCountUtil;
import org.pytorch.serve.util.NettyUtils;

/**
 * Answers a request that {@link StrictFraming} refused, with the refusal's status and message.
 *
 * <p>One for each connection, behind the handler that puts the parts of a request together; netty calls it in
 * the connection's thread.
 */
public final class RefusalAnswer extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof FullHttpRequest request
                && request.decoderResult().cause() instanceof RefusedRequest refusal) {
            NettyUtils.requestReceived(context.channel(), request);
            ReferenceCountUtil.release(message);
            ErrorAnswer.send(context, refusal.status(), refusal.getMessage());
        } else {
            super.channelRead(context, message);
        }
    }
}
