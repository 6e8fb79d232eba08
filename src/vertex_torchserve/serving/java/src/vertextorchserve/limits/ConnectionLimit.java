package vertextorchserve.limits;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.pytorch.serve.util.NettyUtils;
import vertextorchserve.http.ErrorAnswer;

/**
 * Answers 503 on connections beyond as many as may be open. Of those, some are kept for {@code /ping}, so
 * that the platform hears that the server is healthy while it has all the clients that it can take; each of
 * them has one request and a few seconds. Where there are no more of these either, a connection is closed at
 * once.
 *
 * <p>A probe that runs beside the server comes from the loopback address: some more are kept for that one, so
 * that no client from outside can take its place.
 *
 * <p>One for each connection; netty calls it in the connection's thread. The connections are counted for all
 * together.
 */
public final class ConnectionLimit extends ChannelDuplexHandler {
    private static final int KEPT_FOR_PINGS = 64;
    private static final int KEPT_FOR_LOOPBACK = 16;
    private static final int MOST_SECONDS_OF_KEPT = 5;
    private static final int RETRY_SECONDS = 1;

    private static final AtomicInteger OPEN = new AtomicInteger();

    private final int most;
    private boolean counted;
    private boolean kept; // for /ping
    private boolean refused; // and closed: what still comes is dropped

    /**
     * A limit for a new connection.
     *
     * @param most how many may be open that take any request.
     */
    public ConnectionLimit(int most) {
        this.most = most;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        counted = true;
        int open = OPEN.incrementAndGet();
        kept = open > most;
        if (open > most + KEPT_FOR_PINGS + (isLoopback(context) ? KEPT_FOR_LOOPBACK : 0)) {
            context.close();
        } else if (kept) {
            context.executor().schedule(() -> context.close(), MOST_SECONDS_OF_KEPT, TimeUnit.SECONDS);
        }
        super.channelActive(context);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        if (counted) {
            counted = false;
            OPEN.decrementAndGet();
        }
        super.channelInactive(context);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (kept && !refused && message instanceof HttpRequest request && !isPing(request)) {
            refused = true;
            NettyUtils.requestReceived(context.channel(), request);
            ErrorAnswer.sendLater(context,
                    most + " connections are open, the most that may; send this request again later",
                    RETRY_SECONDS);
        }
        if (refused) {
            ReferenceCountUtil.release(message);
        } else {
            super.channelRead(context, message);
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (kept && message instanceof HttpResponse answer) {
            HttpUtil.setKeepAlive(answer, false);
        }
        super.write(context, message, promise);
    }

    private static boolean isPing(HttpRequest request) {
        return request.method().equals(HttpMethod.GET)
                && new QueryStringDecoder(request.uri()).rawPath().equals("/ping");
    }

    private static boolean isLoopback(ChannelHandlerContext context) {
        SocketAddress client = context.channel().remoteAddress();
        return client instanceof InetSocketAddress address && address.getAddress().isLoopbackAddress();
    }
}
