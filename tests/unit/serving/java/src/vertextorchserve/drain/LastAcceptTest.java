package vertextorchserve.drain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Connections that arrive while a port is being closed. */
@SuppressWarnings("deprecation") // EpollEventLoopGroup: the newer way is not in netty 4.1
class LastAcceptTest {
    private static final int GREETING = 'x';
    private static final int MOMENT_MILLIS = 50;

    private EventLoopGroup loops;
    private Channel listening;

    @BeforeEach
    void listenButAcceptNothing() {
        assumeTrue(Epoll.isAvailable());
        loops = new EpollEventLoopGroup(1);
        listening = new ServerBootstrap()
                            .group(loops)
                            .channel(EpollServerSocketChannel.class)
                            .option(ChannelOption.AUTO_READ, false)
                            .childHandler(new Greeting())
                            .bind(InetAddress.getLoopbackAddress(), 0)
                            .syncUninterruptibly()
                            .channel();
    }

    @AfterEach
    void stop() {
        loops.shutdownGracefully();
    }

    @Test
    void whatWaitsIsAcceptedAndWhatComesLaterIsNotLetIn() throws IOException {
        try (Socket first = connect(0); InputStream toFirst = first.getInputStream();
                Socket second = connect(0); InputStream toSecond = second.getInputStream()) {
            ChannelFuture closed = LastAccept.thenClose(listening);
            assertThrows(IOException.class, () -> connect(MOMENT_MILLIS));
            closed.syncUninterruptibly();
            assertEquals(GREETING, toFirst.read());
            assertEquals(GREETING, toSecond.read());
        }
    }

    private Socket connect(int timeoutMillis) throws IOException {
        Socket socket = new Socket();
        socket.connect(listening.localAddress(), timeoutMillis);
        return socket;
    }

    private static final class Greeting extends ChannelInitializer<Channel> {
        @Override
        protected void initChannel(Channel channel) {
            channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelActive(ChannelHandlerContext context) {
                    context.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {GREETING}));
                }
            });
        }
    }
}
