package vertextorchserve.forms;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.util.ReferenceCountUtil;
import org.pytorch.serve.http.HttpRequestHandler;
import org.pytorch.serve.http.HttpRequestHandlerChain;
import vertextorchserve.queue.ModelQueues;

/**
 * TorchServe's handler of requests for those whose body is a form. To decode ten megabytes takes netty a
 * fifth of a second, so it must come with threads of its own; the connections' threads have others to serve.
 *
 * <p>It copies the body into one buffer first. Netty's decoder asks for every byte by its place, which in a
 * body of many pieces is a search each time. The buffer is outside of the heap: of a field in a buffer on the
 * heap, TorchServe would take the whole array for its value.
 *
 * <p>One for each connection, behind {@link OtherThanForms}; called in a thread for forms.
 */
public final class FormRequestHandler extends HttpRequestHandler {
    /**
     * A handler for the forms of a new connection.
     *
     * @param routes what answers them.
     */
    public FormRequestHandler(HttpRequestHandlerChain routes) {
        super(routes);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (!context.channel().isActive()) { // the client went away while other forms were decoded
            ReferenceCountUtil.release(message);
            return;
        }
        FullHttpRequest request = (FullHttpRequest) message;
        ByteBuf parts = request.content();
        FullHttpRequest copy;
        try {
            copy = request.replace(context.alloc().directBuffer(parts.readableBytes()).writeBytes(parts));
        } finally {
            request.release();
        }
        super.channelRead(context, copy);
        if (!context.channel().isActive()) { // before the request was in the queue, so nobody took it out
            ModelQueues.dropAbandonedRequests();
        }
    }
}
