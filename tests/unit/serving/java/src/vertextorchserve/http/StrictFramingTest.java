package vertextorchserve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Which bytes are passed on, at which moment, and what takes the place of those that are not. */
class StrictFramingTest {
    private static final String GET = "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";
    private static final String CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    private final EmbeddedChannel channel = new EmbeddedChannel(new StrictFraming());

    @Test
    void requestsAndTheirBodiesArePassedOnAsTheyAre() {
        String before = GET + "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nG\r\n\r\n" + CHUNKED;
        String after = "\r\n0123456789\r\n000\r\nx: y\r\n\r\n\r\n" + GET;
        send(before + "A;x=y" + after);
        assertEquals(before + "0000000a" + after, passed());
    }

    @Test
    void howTheBytesArriveMakesNoDifference() {
        String sent = CHUNKED + "3\r\nabc\r\n0\r\nx: y\r\n\r\n" + GET;
        for (int size = 1; size < sent.length(); size++) {
            for (int from = 0; from < sent.length(); from += size) {
                send(sent.substring(from, Math.min(from + size, sent.length())));
            }
            String chunks = passed();
            assertTrue(chunks.startsWith(CHUNKED));
            assertTrue(chunks.endsWith("0\r\nx: y\r\n\r\n" + GET));
            chunks = chunks.substring(CHUNKED.length(), chunks.indexOf("0\r\nx: y"));
            assertEquals("abc", chunks.replaceAll("0000000[123]\r\n|\r\n", ""));
        }
    }

    @Test
    void chunksThatArriveTogetherArePassedOnAsOne() {
        send(CHUNKED + "1\r\na\r\n2;x=y\r\nbc\r\n3\r\nd");
        assertEquals(CHUNKED, bytes(channel.readInbound()));
        assertEquals("00000004\r\nabcd\r\n", bytes(channel.readInbound()));
        assertNull(channel.readInbound());
        send("ef\r\n0\r\n\r\n" + GET);
        assertEquals("00000002\r\nef\r\n", bytes(channel.readInbound()));
        assertEquals("0\r\n\r\n" + GET, passed());
    }

    @Test
    void aHeadIsHeldBackUntilItsLastByte() {
        send(GET.substring(0, GET.length() - 1));
        assertNull(channel.readInbound());
        send("\n");
        assertEquals(GET, passed());
    }

    @Test
    void aBodyIsNotHeldBack() {
        send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
        passed();
        send("abc");
        assertEquals("abc", passed());
    }

    @Test
    void aLargeBodyIsNoPartOfTheHeadBehindIt() {
        String body = "x".repeat(60_000);
        String post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + body;
        send(post);
        assertEquals(post, passed());
        send(post + GET);
        assertEquals(post + GET, passed());
        send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
        passed();
        send(body + "GET / HTTP/1.1\r\nHost: a\r\n");
        assertEquals(body, passed());
        send("\r\n" + GET);
        assertEquals("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + GET, passed());
    }

    @Test
    void theRequestsBeforeAnAmbiguousOneArePassedOnAndNoneBehindIt() {
        send(GET + "GET /ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + GET);
        assertEquals(GET, bytes(channel.readInbound()));
        FullHttpRequest refused = channel.readInbound();
        assertEquals("there are several Host headers; one is accepted",
                refused.decoderResult().cause().getMessage());
        send(GET);
        assertNull(channel.readInbound());
    }

    @Test
    void anAmbiguousChunkEndsTheBodyWithAFailure() {
        send(CHUNKED + "1\r\na\r\n-1\r\n");
        assertEquals(CHUNKED, bytes(channel.readInbound()));
        assertEquals("00000001\r\na\r\n", bytes(channel.readInbound()));
        HttpObject refused = channel.readInbound();
        assertTrue(refused instanceof LastHttpContent);
        assertSame(RefusedRequest.class, refused.decoderResult().cause().getClass());
        send("0\r\n\r\n" + GET);
        assertNull(channel.readInbound());
    }

    @Test
    void aLineIsRefusedBeforeItsEndWhenItIsTooLong() {
        send("GET /"
                + "a".repeat(16_384));
        FullHttpRequest refused = channel.readInbound();
        assertEquals("the head of a request is too large", refused.decoderResult().cause().getMessage());
    }

    @Test
    void theLinesOfAHeadCountTogether() {
        send("GET / HTTP/1.1\r\nHost: a\r\n"
                + "a: b\r\n".repeat(2726)); // 16,381 bytes
        assertNull(channel.readInbound());
        send("a: b");
        assertTrue(channel.readInbound() instanceof FullHttpRequest);
    }

    @Test
    void aRefusalHasNoStackTrace() {
        send("nonsense\r\n");
        FullHttpRequest refused = channel.readInbound();
        assertEquals(0, refused.decoderResult().cause().getStackTrace().length);
    }

    @Test
    void whatIsHeldBackIsReleasedWithTheConnection() {
        ByteBuf half = Unpooled.copiedBuffer("GET / HT", StandardCharsets.US_ASCII);
        channel.writeInbound(half);
        assertFalse(channel.finish());
        assertEquals(0, half.refCnt());
    }

    private void send(String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1));
    }

    /** All that was passed on since the last time; fails when there is anything but bytes. */
    private String passed() {
        StringBuilder text = new StringBuilder();
        for (ByteBuf part = channel.readInbound(); part != null; part = channel.readInbound()) {
            text.append(bytes(part));
        }
        return text.toString();
    }

    private static String bytes(ByteBuf part) {
        String text = part.toString(StandardCharsets.ISO_8859_1);
        part.release();
        return text;
    }
}
