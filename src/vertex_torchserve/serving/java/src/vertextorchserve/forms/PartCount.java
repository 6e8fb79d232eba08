package vertextorchserve.forms;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import vertextorchserve.http.RefusedRequest;

/**
 * Counts the parts of a body of type multipart/form-data, and the bytes of each one's headers.
 *
 * <p>Every place where the boundary stands counts as the end of a part, also within a line, where the decoder
 * would read on: the decoder never finds more parts, nor longer headers, than are counted here.
 */
final class PartCount implements FormCount {
    private final int mostParts;
    private final int mostHeaderBytes;
    private final byte[] boundary; // with the two hyphens before it
    /**
     * How many bytes of the boundary still match when the one behind so many doesn't (Knuth, Morris, Pratt).
     */
    private final int[] fallback;

    private int matched; // bytes of the boundary
    private int boundaries;
    private boolean inHeaders;
    private int headerBytes;
    private final StringBuilder line = new StringBuilder(); // the header that is read
    private String problem; // null: none so far
    private HttpResponseStatus status = HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE;

    PartCount(String boundary, int mostParts, int mostHeaderBytes) {
        this.boundary = boundary.getBytes(StandardCharsets.ISO_8859_1);
        this.fallback = fallback(this.boundary);
        this.mostParts = mostParts;
        this.mostHeaderBytes = mostHeaderBytes;
    }

    @Override
    public void read(ByteBuf bytes) throws RefusedRequest {
        bytes.forEachByte(this::next);
        if (problem != null) {
            throw new RefusedRequest(status, problem);
        }
    }

    private boolean next(byte next) {
        while (matched > 0 && (matched == boundary.length || boundary[matched] != next)) {
            matched = fallback[matched];
        }
        if (boundary[matched] == next) {
            matched++;
        }
        if (matched == boundary.length) {
            beginPart();
        } else if (inHeaders) {
            readHeader(next);
        }
        return problem == null;
    }

    private void beginPart() {
        boundaries++;
        if (boundaries > mostParts + 1) { // the last one ends the form
            problem = "the form has more than " + mostParts
                    + " parts, the most that is accepted; send the instances as JSON";
        }
        inHeaders = true;
        headerBytes = 0;
        line.setLength(0);
        line.append('-'); // the rest of the boundary's own line is not the empty line behind the headers
    }

    private void readHeader(byte next) {
        headerBytes++;
        if (headerBytes > mostHeaderBytes) {
            problem = "the headers of a part of the form have more than " + mostHeaderBytes
                    + " bytes, the most that is accepted";
        } else if (next != '\n') {
            line.append((char) (next & 0xff));
        } else if (line.length() == 0 || line.length() == 1 && line.charAt(0) == '\r') {
            inHeaders = false;
        } else {
            refuseFormWithin(line.toString().toLowerCase(Locale.ROOT));
            line.setLength(0);
        }
    }

    /** Parts of such a part have a boundary of their own; RFC 7578, section 4.3, has no use for them. */
    private void refuseFormWithin(String header) {
        if (header.contains("content-type") && header.contains("multipart/mixed")) {
            status = HttpResponseStatus.BAD_REQUEST;
            problem = "a part of the form has the type multipart/mixed; give each file a part of its own";
        }
    }

    private static int[] fallback(byte[] text) {
        int[] table = new int[text.length + 1];
        int matched = 0;
        for (int i = 1; i < text.length; i++) {
            while (matched > 0 && text[i] != text[matched]) {
                matched = table[matched];
            }
            if (text[i] == text[matched]) {
                matched++;
            }
            table[i + 1] = matched;
        }
        return table;
    }
}
