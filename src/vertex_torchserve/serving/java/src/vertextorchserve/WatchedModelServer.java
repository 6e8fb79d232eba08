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
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.pytorch.serve.ModelServer;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.Connector;
import org.pytorch.serve.util.ConnectorType;
import vertextorchserve.drain.DrainedServer;
import vertextorchserve.drain.LastAccept;
import vertextorchserve.drain.Traffic;
import vertextorchserve.queue.ModelQueues;
import vertextorchserve.worker.DirectBatches;

/**
 * TorchServe's server, with an {@link InferenceChannel} for every connection to its inference port.
 *
 * <p>The main thread starts it, the drain's thread stops it.
 */
final class WatchedModelServer extends ModelServer implements DrainedServer {
    private static final int BACKLOG = 1024; // as TorchServe's own

    /** For the work that netty's threads still have; as netty's own default. */
    private static final int LOOPS_END_SECONDS = 15;

    private final Traffic traffic;
    private final Settings settings;
    private final Set<EventLoopGroup> loopGroups = new HashSet<>();
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

    @Override
    public boolean isStarted() {
        return !listening.isEmpty();
    }

    @Override
    public void stopListening() {
        List<ChannelFuture> closed =
                listening.stream().map(port -> LastAccept.thenClose(port.channel())).toList();
        closed.forEach(ChannelFuture::syncUninterruptibly);
    }

    /**
     * Ends the server at once: the drain has seen that there is nothing left to answer. TorchServe's own stop
     * would wait for two seconds more without any work, which is what netty's threads do unless told
     * otherwise. It would also close the ports once more, for which netty's threads may have ended too early;
     * the list of them is its own.
     */
    @Override
    public void stop() {
        listening.clear();
        loopGroups.forEach(group -> group.shutdownGracefully(0, LOOPS_END_SECONDS, TimeUnit.SECONDS));
        super.stop();
    }

    /**
     * Opens a port as TorchServe does, with three differences for the inference port: the handlers of its
     * connections; no SO_LINGER 0, with which the part of an answer that is not sent yet is lost when its
     * connection is closed; and SO_REUSEPORT, because the Python that starts the JVM listens on the same port
     * until this one is open (early_listener.py).
     *
     * @throws IllegalArgumentException when the inference port is to speak TLS or is the management port too:
     *         these handlers are not made for that.
     */
    @Override
    public ChannelFuture initializeServer(Connector connector, EventLoopGroup acceptors, EventLoopGroup loops,
            ConnectorType type) throws InterruptedException, IOException, GeneralSecurityException {
        loopGroups.add(acceptors);
        loopGroups.add(loops);
        if (type == ConnectorType.ALL || (type == ConnectorType.INFERENCE_CONNECTOR && connector.isSsl())) {
            throw new IllegalArgumentException("inference_address=" + connector
                    + "; http:// and another port than that of management_address is accepted");
        }
        if (type != ConnectorType.INFERENCE_CONNECTOR) {
            return super.initializeServer(connector, acceptors, loops, type);
        }
        // The models are registered, their workers have not loaded them yet.
        ModelQueues.replace();
        DirectBatches.replace();
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

    /** Each of netty's transports has its own name for this socket option. */
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
