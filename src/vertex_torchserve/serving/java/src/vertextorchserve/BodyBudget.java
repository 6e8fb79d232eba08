package vertextorchserve;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.atomic.AtomicLong;
import org.pytorch.serve.util.NettyUtils;

/**
 * Answers 503 to a request whose body does not fit in memory beside those that arrive or wait for their
 * answer.
 *
 * <p>A queue is bounded by its number of requests; of the largest ones it would hold several times the
 * heap, and the JVM would end with all of them. Netty calls this from the connection's thread.
 */
final class BodyBudget extends ChannelDuplexHandler {

    /** TorchServe copies a body into the heap, and again outside of it for the worker. */
    private static final long MOST_BYTES = Runtime.getRuntime().maxMemory() / 4;

    private static final int RETRY_SECONDS = 1;
    private static final AtomicLong HELD_BY_ALL = new AtomicLong();

    private HttpRequest head;
    private long held; // by this connection

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest request) {
            head = request;
        }
        if (message instanceof HttpContent content) {
            int bytes = content.content().readableBytes();
            held += bytes;
            long byAll = HELD_BY_ALL.addAndGet(bytes);
            if (byAll > MOST_BYTES && byAll > held) { // alone, any request is worth a try
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
        if (message instanceof LastHttpContent && !RequestWatch.isContinue(message)) {
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
        ErrorAnswer.sendLater(
                context,
                (bytes >> 20) + " MiB of requests are waiting, the most that may; send this one again later",
                RETRY_SECONDS);
    }

    private void release() {
        HELD_BY_ALL.addAndGet(-held);
        held = 0;
    }
}
