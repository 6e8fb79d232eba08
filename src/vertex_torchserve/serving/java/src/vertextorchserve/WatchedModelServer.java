package vertextorchserve;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.kqueue.KQueueChannelOption;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.security.GeneralSecurityException;
import java.util.List;
import org.pytorch.serve.ModelServer;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.Connector;
import org.pytorch.serve.util.ConnectorType;

/** TorchServe with an {@link InferenceChannel} for every connection to its inference port. */
final class WatchedModelServer extends ModelServer {

    private static final int BACKLOG = 1024; // as TorchServe's own

    private final Traffic traffic;
    private final Settings settings;
    private volatile List<ChannelFuture> listening = List.of();

    WatchedModelServer(ConfigManager config, Traffic traffic, Settings settings) {
        super(config);
        this.traffic = traffic;
        this.settings = settings;
    }

    /** Registers the models and opens the HTTP ports; returns while workers still load. */
    void start() throws Exception {
        listening = startRESTserver();
    }

    boolean isStarted() {
        return !listening.isEmpty();
    }

    /** Takes no new connection; those that are open, or only in the kernel's queue yet, stay. */
    void stopListening() {
        for (ChannelFuture closed : listening) {
            LastAccept.thenClose(closed.channel()).syncUninterruptibly();
        }
    }

    /**
     * As TorchServe does it, with three differences for the inference port: what its connections go
     * through; no SO_LINGER 0, which throws away what of an answer is not sent yet when its connection is
     * closed; and SO_REUSEPORT, because whoever started us listens there until we do (early_listener.py).
     *
     * @throws IllegalArgumentException when the inference port is to speak TLS or to be the management port
     *     too, which neither of our callers asks for.
     */
    @Override
    public ChannelFuture initializeServer(
            Connector connector, EventLoopGroup acceptors, EventLoopGroup loops, ConnectorType type)
            throws InterruptedException, IOException, GeneralSecurityException {
        if (type == ConnectorType.ALL || (type == ConnectorType.INFERENCE_CONNECTOR && connector.isSsl())) {
            throw new IllegalArgumentException(
                    "inference_address=" + connector + "; http:// and another port than that of "
                            + "management_address is accepted");
        }
        if (type != ConnectorType.INFERENCE_CONNECTOR) {
            return super.initializeServer(connector, acceptors, loops, type);
        }
        Models.queueForTheLastBusyWorker(); // registered just now; their workers have still to load them
        return new ServerBootstrap()
                .group(acceptors, loops)
                .channel(connector.getServerChannel())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(reusePort(connector.getServerChannel()), true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(new InferenceChannel(traffic, settings))
                .bind(connector.getSocketAddress())
                .sync()
                .channel()
                .closeFuture();
    }

    /** The same socket option has a name for each of netty's transports. */
    private static ChannelOption<Boolean> reusePort(Class<? extends Channel> transport) {
        if (transport == EpollServerSocketChannel.class) {
            return EpollChannelOption.SO_REUSEPORT;
        }
        if (transport == KQueueServerSocketChannel.class) {
            return KQueueChannelOption.SO_REUSEPORT;
        }
        return NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT);
    }
}
