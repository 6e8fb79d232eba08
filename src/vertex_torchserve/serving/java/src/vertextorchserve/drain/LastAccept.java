package vertextorchserve.drain;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes a listening socket without resetting the connections that wait in its queue: the kernel has
 * accepted those, and their clients may have sent a request.
 */
public final class LastAccept {
    private static final Logger LOG = LoggerFactory.getLogger(LastAccept.class);

    // What netty takes for the number of bytes read when there was no connection to accept.
    private static final int NONE_ACCEPTED = -1;

    /** A round trip to a client of the same continent and more; load balancers and probes are much nearer. */
    private static final int HANDSHAKE_MILLIS = 100;

    private LastAccept() {}

    /**
     * Closes the socket for new handshakes, gives those that have begun time to end, accepts every connection
     * that waits, and closes the socket.
     *
     * <p>Where new handshakes can't be kept off, the last two steps follow at once, and one after the other
     * in the thread that accepts connections: a connection is lost that arrives in the microseconds in
     * between.
     *
     * <p>Called from any thread.
     *
     * @param listening the socket.
     * @return done when the socket is closed.
     */
    public static ChannelFuture thenClose(Channel listening) {
        boolean epoll = listening instanceof EpollServerSocketChannel;
        boolean quiet = epoll && keepsNewOnesOff((EpollServerSocketChannel) listening);
        listening.eventLoop().schedule(() -> {
            if (epoll) {
                acceptAll((EpollServerSocketChannel) listening);
            }
            listening.close();
        }, quiet ? HANDSHAKE_MILLIS : 0, TimeUnit.MILLISECONDS);
        return listening.closeFuture();
    }

    /** The class can't even be loaded with netty before 4.1.73, as in TorchServe's own jar. */
    private static boolean keepsNewOnesOff(EpollServerSocketChannel listening) {
        try {
            return NoNewHandshakes.on(listening);
        } catch (LinkageError e) {
            LOG.info("A connection that arrives in the very moment when the port closes may be reset: {}",
                    e.toString());
            return false;
        }
    }

    /**
     * Calls what netty calls when epoll reports waiting connections; the method is private to netty. One call
     * accepts all of them in netty 4.1, one of them in netty 4.2.
     */
    @SuppressWarnings("deprecation") // lastBytesRead is of an interface that netty discourages implementing
    private static void acceptAll(EpollServerSocketChannel listening) {
        MaxMessagesRecvByteBufAllocator most = listening.config().getRecvByteBufAllocator();
        most.maxMessagesPerRead(Integer.MAX_VALUE);
        try {
            Class<?> type = listening.unsafe().getClass();
            while (true) {
                try {
                    Method accept = type.getDeclaredMethod("epollInReady");
                    accept.setAccessible(true);
                    do {
                        accept.invoke(listening.unsafe());
                    } while (listening.unsafe().recvBufAllocHandle().lastBytesRead() != NONE_ACCEPTED);
                    return;
                } catch (NoSuchMethodException e) {
                    type = type.getSuperclass();
                }
            }
        } catch (IllegalAccessException | InvocationTargetException | RuntimeException e) {
            LOG.warn("Connections that wait to be accepted may be reset", e);
        }
    }
}
