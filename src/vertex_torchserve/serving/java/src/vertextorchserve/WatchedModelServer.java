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
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.security.GeneralSecurityException;
import java.util.List;
import org.pytorch.serve.ModelServer;
import org.pytorch.serve.ServerInitializer;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.Connector;
import org.pytorch.serve.util.ConnectorType;

/** TorchServe with a {@link RequestWatch} in every connection to its inference port. */
final class WatchedModelServer extends ModelServer {

    private static final int BACKLOG = 1024; // as TorchServe's own

    private final ConfigManager config;
    private final Traffic traffic;
    private volatile List<ChannelFuture> listening = List.of();

    WatchedModelServer(ConfigManager config, Traffic traffic) {
        super(config);
        this.config = config;
        this.traffic = traffic;
    }

    /** Registers the models and opens the HTTP ports; returns while workers still load. */
    void start() throws Exception {
        listening = startRESTserver();
    }

    boolean isStarted() {
        return !listening.isEmpty();
    }

    /** Takes no new connection; those that are open stay. */
    void stopListening() {
        for (ChannelFuture closed : listening) {
            closed.channel().close().syncUninterruptibly();
        }
    }

    /**
     * As TorchServe does it, with three differences for the inference port: the watch; no SO_LINGER 0,
     * which throws away what of an answer is not sent yet when its connection is closed; and
     * SO_REUSEPORT, because whoever started us listens there until we do (early_listener.py).
     */
    @Override
    public ChannelFuture initializeServer(
            Connector connector, EventLoopGroup acceptors, EventLoopGroup loops, ConnectorType type)
            throws InterruptedException, IOException, GeneralSecurityException {
        if (type != ConnectorType.INFERENCE_CONNECTOR && type != ConnectorType.ALL) {
            return super.initializeServer(connector, acceptors, loops, type);
        }
        SslContext ssl = connector.isSsl() ? config.getSslContext() : null;
        return new ServerBootstrap()
                .group(acceptors, loops)
                .channel(connector.getServerChannel())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(reusePort(connector.getServerChannel()), true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(
                        new ServerInitializer(ssl, type) {
                            @Override
                            public void initChannel(Channel channel) {
                                super.initChannel(channel);
                                channel.pipeline().addAfter("http", "watch", new RequestWatch(traffic));
                            }
                        })
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
