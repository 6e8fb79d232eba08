package vertextorchserve.forms;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpRequest;
import java.util.function.Consumer;
import org.pytorch.serve.http.HttpRequestHandler;
import org.pytorch.serve.http.HttpRequestHandlerChain;

/**
 * TorchServe's handler of requests, for those whose body is no form; forms are passed on to a {@link
 * FormRequestHandler}, which a connection has from its first form on. With it from the start, each connection
 * that opens or closes would wake one of the threads for forms several times.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class OtherThanForms extends HttpRequestHandler {
    private final Consumer<ChannelPipeline> addFormHandler;
    private boolean takesForms;

    /**
     * A handler for the requests of a new connection.
     *
     * @param routes what answers them.
     * @param addFormHandler adds the handler of forms to the connection's, at their end.
     */
    public OtherThanForms(HttpRequestHandlerChain routes, Consumer<ChannelPipeline> addFormHandler) {
        super(routes);
        this.addFormHandler = addFormHandler;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (!takesForms && message instanceof HttpRequest request && FormType.isForm(request)) {
            takesForms = true;
            addFormHandler.accept(context.pipeline());
        }
        super.channelRead(context, message);
    }

    @Override
    public boolean acceptInboundMessage(Object message) throws Exception {
        return super.acceptInboundMessage(message) && !FormType.isForm((HttpRequest) message);
    }

    /** Ends here: each request would wake one of the threads for forms otherwise, who has no use for it. */
    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        // Nothing is read or written at the end of a read.
    }
}
