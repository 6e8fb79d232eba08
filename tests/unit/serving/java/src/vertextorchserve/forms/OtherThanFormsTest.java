package vertextorchserve.forms;

import static org.junit.jupiter.api.Assertions.assertFalse;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What reaches the threads for forms. */
class OtherThanFormsTest {
    @Test
    void theEndOfAReadIsNotPassedOn() {
        AtomicBoolean passed = new AtomicBoolean();
        EmbeddedChannel channel =
                new EmbeddedChannel(new OtherThanForms(null), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelReadComplete(ChannelHandlerContext context) {
                        passed.set(true);
                    }
                });
        channel.pipeline().fireChannelReadComplete();
        assertFalse(passed.get());
    }
}
