package vertextorchserve.forms;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What reaches the threads for forms. */
class OtherThanFormsTest {
    private static HttpRequest request(String type) {
        HttpRequest request =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/predictions/model");
        request.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        return request;
    }

    @Test
    void theFirstFormBringsTheirHandler() throws Exception {
        List<Object> forms = new ArrayList<>();
        EmbeddedChannel channel = new EmbeddedChannel(
                new OtherThanForms(null, pipeline -> pipeline.addLast(new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext context, Object message) {
                        forms.add(message);
                    }
                })));
        int handlers = channel.pipeline().names().size();
        HttpRequest first = request("multipart/form-data; boundary=a");
        HttpRequest second = request("application/x-www-form-urlencoded");
        channel.writeInbound(first, second);
        assertEquals(List.of(first, second), forms);
        assertEquals(handlers + 1, channel.pipeline().names().size());
    }

    @Test
    void theEndOfAReadIsNotPassedOn() {
        AtomicBoolean passed = new AtomicBoolean();
        EmbeddedChannel channel = new EmbeddedChannel(
                new OtherThanForms(null, pipeline -> fail()), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelReadComplete(ChannelHandlerContext context) {
                        passed.set(true);
                    }
                });
        channel.pipeline().fireChannelReadComplete();
        assertFalse(passed.get());
    }
}
