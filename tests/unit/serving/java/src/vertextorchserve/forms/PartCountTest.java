package vertextorchserve.forms;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import vertextorchserve.http.RefusedRequest;

/** Three parts at most, and twenty bytes of headers each. */
class PartCountTest {
    private static final String TOO_MANY =
            "the form has more than 3 parts, the most that is accepted; send the instances as JSON";
    private static final String TOO_LONG =
            "the headers of a part of the form have more than 20 bytes, the most that is accepted";

    @Test
    void theLastBoundaryEndsTheForm() {
        assertAccepted("--b", "--b\r\na:b\r\n\r\nx\r\n".repeat(3) + "--b--\r\n");
        assertRefused(TOO_MANY, "--b", "--b\r\na:b\r\n\r\nx\r\n".repeat(4) + "--b--\r\n");
    }

    @Test
    void aBoundaryWithinALineCounts() {
        assertRefused(TOO_MANY, "--b", "--b--b--b--b--b");
    }

    @Test
    void aBoundaryThatRepeatsItselfIsFound() {
        assertAccepted("--ab--ac", "--ab--ab--ac".repeat(4));
        assertRefused(TOO_MANY, "--ab--ac", "--ab--ab--ac".repeat(5));
        assertRefused(TOO_MANY, "---", "-------"); // it ends at five of the seven
    }

    @Test
    void headersEndWithAnEmptyLine() {
        String content = "x".repeat(50) + "\r\n--bc\n\n";
        assertAccepted("--boundary", "--boundary\r\na:b\r\n\r\n" + content);
        assertAccepted("--boundary", "--boundary\na:b\n\n" + content);
        assertRefused(TOO_LONG, "--boundary", "--boundary\r\na:b\r\n \r\n" + content);
    }

    @Test
    void theRestOfTheBoundarysLineIsNoEmptyLine() {
        assertAccepted("--b",
                "--b\r\n"
                        + "a".repeat(18));
        assertRefused(TOO_LONG, "--b",
                "--b\r\n"
                        + "a".repeat(19));
    }

    @Test
    void aFormWithinAPartIsRefused() {
        PartCount count = new PartCount("--b", 3, 100);
        String header = "--b\r\nCONTENT-type: multipart/MIXED; boundary=c\r\n";
        RefusedRequest refusal = assertThrows(RefusedRequest.class, () -> read(count, header));
        assertEquals(400, refusal.status().code());
    }

    private static void assertAccepted(String boundary, String body) {
        assertDoesNotThrow(() -> read(new PartCount(boundary, 3, 20), body));
        assertDoesNotThrow(() -> readByteByByte(new PartCount(boundary, 3, 20), body));
    }

    private static void assertRefused(String message, String boundary, String body) {
        PartCount whole = new PartCount(boundary, 3, 20);
        assertEquals(message, assertThrows(RefusedRequest.class, () -> read(whole, body)).getMessage());
        PartCount pieces = new PartCount(boundary, 3, 20);
        RefusedRequest refusal = assertThrows(RefusedRequest.class, () -> readByteByByte(pieces, body));
        assertEquals(message, refusal.getMessage());
        assertEquals(413, refusal.status().code());
    }

    private static void read(PartCount count, String text) throws RefusedRequest {
        count.read(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1));
    }

    private static void readByteByByte(PartCount count, String text) throws RefusedRequest {
        for (int i = 0; i < text.length(); i++) {
            read(count, text.substring(i, i + 1));
        }
    }
}
