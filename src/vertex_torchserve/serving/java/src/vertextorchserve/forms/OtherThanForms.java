package vertextorchserve.forms;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpRequest;
import org.pytorch.serve.http.HttpRequestHandler;
import org.pytorch.serve.http.HttpRequestHandlerChain;

/**
 * TorchServe's handler of requests, for those whose body is no form; forms are passed on to a {@link
 * FormRequestHandler}.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class OtherThanForms extends HttpRequestHandler {
    /**
     * A handler for the requests of a new connection.
     *
     * @param routes what answers them.
     */
    public OtherThanForms(HttpRequestHandlerChain routes) {
        super(routes);
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
