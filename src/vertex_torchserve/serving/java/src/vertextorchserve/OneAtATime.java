package vertextorchserve;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Holds a request that a client sent before the answer to its last one.
 *
 * <p>TorchServe would work on both, answer first what is done first, and so give the client the answers in
 * the wrong order; it also keeps one request id for a connection.
 */
final class OneAtATime extends ChannelDuplexHandler {

    private final Queue<Object> held = new ArrayDeque<>();
    private boolean unanswered;
    private boolean arriving;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (mustWait() || !held.isEmpty()) {
            held.add(message);
            context.channel().config().setAutoRead(false); // what is held stays within one read
        } else {
            pass(context, message);
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (message instanceof LastHttpContent && !RequestWatch.isContinue(message)) {
            promise.addListener(written -> answered(context));
        }
        super.write(context, message, promise);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        held.forEach(ReferenceCountUtil::release);
        held.clear();
        super.channelInactive(context);
    }

    private boolean mustWait() {
        return unanswered && !arriving;
    }

    private void pass(ChannelHandlerContext context, Object message) {
        if (message instanceof HttpRequest) {
            unanswered = true;
            arriving = true;
        }
        if (message instanceof LastHttpContent) {
            arriving = false;
        }
        context.fireChannelRead(message);
    }

    private void answered(ChannelHandlerContext context) {
        unanswered = false;
        if (held.isEmpty()) {
            return;
        }
        while (!held.isEmpty() && !mustWait()) {
            pass(context, held.remove());
        }
        context.fireChannelReadComplete();
        if (held.isEmpty()) {
            context.channel().config().setAutoRead(true);
        }
    }
}
