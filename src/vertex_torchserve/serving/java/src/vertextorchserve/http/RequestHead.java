package vertextorchserve.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;

/**
 * Reads the lines of one request's head, and says how its body ends. What two servers could read in two ways
 * is refused (RFC 9112, sections 3, 5 and 6).
 *
 * <p>One for each request, used by the connection's thread.
 */
final class RequestHead {
    /** What {@link #bodyLength} says of a body in chunks. */
    static final long CHUNKED = -1;

    private static final int MOST_DIGITS = 18; // of a Content-Length that fits a long
    private static final String HTTP_1_0 = "HTTP/1.0";
    private static final String HTTP_1_1 = "HTTP/1.1";

    private String version; // null before the request line
    private int hosts;
    private String length; // null: no Content-Length
    private boolean chunked;

    boolean isEmpty() {
        return version == null;
    }

    /**
     * Takes the next line.
     *
     * @param line the bytes of the line, each one a character, without CRLF.
     * @throws RefusedRequest for a line that is no request line or header, or a header that may not be here.
     */
    void add(String line) throws RefusedRequest {
        if (version == null) {
            version = versionOf(line);
        } else {
            addField(FieldLine.of(line));
        }
    }

    /**
     * The number of bytes of the body, or {@link #CHUNKED}; called after the last line.
     *
     * @throws RefusedRequest for headers that contradict each other.
     */
    long bodyLength() throws RefusedRequest {
        if (hosts == 0 && version.equals(HTTP_1_1)) {
            throw RefusedRequest.malformed("there is no Host header; HTTP/1.1 asks for one");
        }
        if (chunked && length != null) {
            throw RefusedRequest.malformed(
                    "there is a Content-Length beside Transfer-Encoding; only one of them is accepted");
        }
        if (chunked && version.equals(HTTP_1_0)) {
            throw RefusedRequest.malformed(
                    "there is a Transfer-Encoding in an HTTP/1.0 request; send HTTP/1.1");
        }
        if (chunked) {
            return CHUNKED;
        }
        return length == null ? 0 : Long.parseLong(length);
    }

    private static String versionOf(String line) throws RefusedRequest {
        int method = line.indexOf(' ');
        int target = line.indexOf(' ', method + 1);
        if (target < 0 || !FieldLine.isToken(line, 0, method) || !isTarget(line, method + 1, target)) {
            throw RefusedRequest.malformed(
                    "the first line is not \"METHOD target HTTP/1.1\", with one space between its parts");
        }
        String version = line.substring(target + 1);
        if (version.equals(HTTP_1_1) || version.equals(HTTP_1_0)) {
            return version;
        }
        throw RefusedRequest.malformed(
                "the first line does not end in HTTP/1.1 or HTTP/1.0, which are accepted");
    }

    /** Bytes beyond ASCII are let through: clients send paths with them, and they end nothing. */
    private static boolean isTarget(String line, int from, int to) {
        for (int i = from; i < to; i++) {
            if (line.charAt(i) <= ' ' || line.charAt(i) == 0x7f) {
                return false;
            }
        }
        return from < to;
    }

    private void addField(FieldLine field) throws RefusedRequest {
        if (field.is(HttpHeaderNames.HOST)) {
            hosts++;
            if (hosts > 1) {
                throw RefusedRequest.malformed("there are several Host headers; one is accepted");
            }
        } else if (field.is(HttpHeaderNames.CONTENT_LENGTH)) {
            addLength(field.value());
        } else if (field.is(HttpHeaderNames.TRANSFER_ENCODING)) {
            if (chunked || !field.value().equalsIgnoreCase(HttpHeaderValues.CHUNKED.toString())) {
                throw RefusedRequest.malformed("Transfer-Encoding is not chunked, which is accepted, once");
            }
            chunked = true;
        } else if (field.is(HttpHeaderNames.EXPECT)) {
            // Netty's answer to another expectation lets its decoder read the body as the next request.
            if (!field.value().equalsIgnoreCase(HttpHeaderValues.CONTINUE.toString())) {
                throw new RefusedRequest(HttpResponseStatus.EXPECTATION_FAILED, "Expect is not 100-continue");
            }
        } else if (field.is(HttpHeaderNames.SEC_WEBSOCKET_KEY1)) {
            // Netty takes eight bytes behind such a request for its body, as a draft of 2010 had it.
            throw RefusedRequest.malformed("Sec-WebSocket-Key1 is not accepted; there are no WebSockets");
        }
    }

    private void addLength(String value) throws RefusedRequest {
        boolean digits = !value.isEmpty() && value.chars().allMatch(c -> c >= '0' && c <= '9');
        if (length != null || !digits || value.length() > MOST_DIGITS) {
            throw RefusedRequest.malformed("Content-Length is not one number of up to " + MOST_DIGITS
                    + " digits, which is accepted, once");
        }
        length = value;
    }
}
