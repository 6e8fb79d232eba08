package vertextorchserve.forms;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.util.ReferenceCountUtil;

/**
 * Copies the body of a form into one buffer. Netty's decoder asks for every byte by its place, which in a
 * body of many pieces is a search each time. The buffer is outside of the heap: of a field in a buffer on the
 * heap, TorchServe would take the whole array for its value.
 *
 * <p>One for each connection, behind the handler that puts the parts of a request together; netty calls it in
 * the connection's thread.
 */
public final class FormInOnePiece extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof FullHttpRequest request && FormType.isForm(request)) {
            ByteBuf parts = request.content();
            ByteBuf body = context.alloc().directBuffer(parts.readableBytes()).writeBytes(parts);
            FullHttpRequest copy = request.replace(body);
            ReferenceCountUtil.release(request);
            super.channelRead(context, copy);
        } else {
            super.channelRead(context, message);
        }
    }
}
