package vertextorchserve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Requests that arrive on one connection before the answers to those before them. */
class OneAtATimeTest {
    private final EmbeddedChannel channel = new EmbeddedChannel(new OneAtATime());

    @Test
    void aRequestWaitsForTheAnswerToTheOneBeforeIt() {
        HttpObject first = head("/first");
        HttpObject firstBody = last("1");
        HttpObject second = head("/second");
        HttpObject secondBody = last("2");
        channel.writeInbound(first, firstBody, second, secondBody);
        assertEquals(first, channel.readInbound());
        assertEquals(firstBody, channel.readInbound());
        assertNull(channel.readInbound());
        answer(HttpResponseStatus.OK);
        assertEquals(second, channel.readInbound());
        assertEquals(secondBody, channel.readInbound());
    }

    @Test
    void threeRequestsArePassedOnInTheirOrder() {
        HttpObject[] heads = {head("/first"), head("/second"), head("/third")};
        for (HttpObject head : heads) {
            channel.writeInbound(head, last(""));
        }
        for (HttpObject head : heads) {
            assertEquals(head, channel.readInbound());
            channel.readInbound();
            assertNull(channel.readInbound());
            answer(HttpResponseStatus.OK);
        }
    }

    @Test
    void theRestOfARequestIsNotHeldBack() {
        channel.writeInbound(head("/first"));
        channel.readInbound();
        HttpObject part = new DefaultHttpContent(Unpooled.copiedBuffer("part", StandardCharsets.UTF_8));
        channel.writeInbound(part);
        assertEquals(part, channel.readInbound());
    }

    @Test
    void continueIsNotAnAnswer() {
        channel.writeInbound(head("/first"), last("1"), head("/second"), last("2"));
        channel.readInbound();
        channel.readInbound();
        answer(HttpResponseStatus.CONTINUE);
        assertNull(channel.readInbound());
        answer(HttpResponseStatus.OK);
        assertTrue(channel.<HttpObject>readInbound() instanceof DefaultHttpRequest);
    }

    @Test
    void nothingIsReadWhileARequestIsHeldBack() {
        channel.writeInbound(head("/first"), last("1"));
        assertTrue(channel.config().isAutoRead());
        channel.writeInbound(head("/second"), last("2"));
        assertEquals(false, channel.config().isAutoRead());
        answer(HttpResponseStatus.OK);
        assertTrue(channel.config().isAutoRead());
    }

    @Test
    void whatIsHeldBackIsReleasedWithTheConnection() {
        HttpContent held = last("2");
        channel.writeInbound(head("/first"), last("1"), head("/second"), held);
        channel.close();
        assertEquals(0, held.refCnt());
    }

    private static HttpObject head(String path) {
        return new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, path);
    }

    private static HttpContent last(String body) {
        return new DefaultLastHttpContent(Unpooled.copiedBuffer(body, StandardCharsets.UTF_8));
    }

    private void answer(HttpResponseStatus status) {
        channel.writeOutbound(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status));
    }
}
