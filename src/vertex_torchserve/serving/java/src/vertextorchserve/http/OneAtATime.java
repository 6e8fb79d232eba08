package vertextorchserve.http;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Holds back a request that a client sent before its previous request on the same connection was answered.
 *
 * <p>TorchServe would work on both at once and send whichever answer is done first, so that the client takes
 * it for the answer to the other request. TorchServe also keeps only one request id for each connection.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class OneAtATime extends ChannelDuplexHandler {
    private final Queue<Object> held = new ArrayDeque<>();
    private boolean unanswered; // a request has been passed on and has no answer yet
    private boolean arriving; // the rest of that request is still to come

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (mustWait() || !held.isEmpty()) {
            held.add(message);
            context.channel().config().setAutoRead(false); // at most what one read brought is held
        } else {
            pass(context, message);
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (AnswerPart.isLast(message)) {
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
