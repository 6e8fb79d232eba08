package vertextorchserve.limits;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.atomic.AtomicLong;
import org.pytorch.serve.util.NettyUtils;
import vertextorchserve.http.AnswerPart;
import vertextorchserve.http.ErrorAnswer;

/**
 * Answers 503 to a request whose body does not fit in memory beside the bodies of all requests that are
 * unanswered.
 *
 * <p>The queue's limit is a number of requests. If all of them had the largest body that is accepted, they
 * would take several times the heap, and the JVM would end.
 *
 * <p>One for each connection; netty calls it in the connection's thread. What is held is counted for all
 * together.
 */
public final class BodyBudget extends ChannelDuplexHandler {
    /** A quarter of the heap: TorchServe copies each body within the heap, and once more outside of it. */
    private static final long MOST_BYTES = Runtime.getRuntime().maxMemory() / 4;

    private static final AtomicLong HELD_BY_ALL = new AtomicLong(); // bytes, of all connections

    private HttpRequest head;
    private long held; // bytes, of this connection

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest request) {
            head = request;
        }
        if (message instanceof HttpContent content) {
            int bytes = content.content().readableBytes();
            held += bytes;
            long byAll = HELD_BY_ALL.addAndGet(bytes);
            if (byAll > MOST_BYTES && byAll > held) { // a body that is alone is always tried
                ReferenceCountUtil.release(message);
                refuse(context, byAll);
                return;
            }
        }
        super.channelRead(context, message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (AnswerPart.isLast(message)) {
            release();
        }
        super.write(context, message, promise);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        release();
        super.channelInactive(context);
    }

    private void refuse(ChannelHandlerContext context, long bytes) {
        NettyUtils.requestReceived(context.channel(), head);
        ErrorAnswer.sendBusy(context, (bytes >> 20) + " MiB of requests");
    }

    private void release() {
        HELD_BY_ALL.addAndGet(-held);
        held = 0;
    }
}
