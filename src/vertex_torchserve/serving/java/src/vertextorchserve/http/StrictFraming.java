package vertextorchserve.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Passes on to netty's HTTP decoder only bytes that every server reads as the same requests.
 *
 * <p>Netty is lenient about the lines around a body. A proxy in front that reads them in another way can be
 * made to pass on one request which netty takes for two (docs/decisions/0011). This handler reads those lines
 * itself, line by line, and no byte of the bodies. Chunks that have arrived together are passed on as one:
 * behind the decoder each costs an object that goes through all handlers. In place of the first request that
 * is ambiguous it passes on one with the failure {@link RefusedRequest}, which the decoder lets through; all
 * bytes behind it are dropped.
 *
 * <p>One for each connection, before the decoder; netty calls it in the connection's thread.
 */
public final class StrictFraming extends ByteToMessageDecoder {
    /** Netty's decoder has limits of 4,096 bytes for the first line and of 8,192 for the headers. */
    private static final int MOST_HEAD_BYTES = 16_384;

    private static final int MOST_TRAILER_BYTES = 8_192;
    /** Eight digits, and an extension. */
    private static final int MOST_CHUNK_LINE_BYTES = 256;
    /** Each chunk costs the reading of a line, however small it is. */
    private static final int MOST_CHUNKS = 20_000;

    private static final int MOST_CHUNK_DIGITS = 8;
    private static final String MERGED_LINE = "%08x\r\n";
    private static final int MERGED_LINE_BYTES = 10;

    private enum Part { HEAD, BODY, CHUNK_LINE, CHUNK, CHUNK_END, TRAILER, REFUSED }

    private Part part = Part.HEAD;
    private RequestHead head = new RequestHead();
    private boolean begunHead; // bytes of it wait here
    private boolean emptyLine; // there was one before the request line
    private long toCome; // bytes of the body or the chunk
    private int chunks;
    private int trailerBytes;
    private ByteBuf merged; // the content of the chunks of this turn; null when there is none

    // Counted from the first byte that has not been passed on yet:
    private int checked; // up to here it may be: a head that is being read begins here
    private int read; // up to here lines have been read
    private int searched; // up to here there is no further line feed

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        HttpObject refused = null;
        try {
            boolean more = true;
            while (more) {
                more = advance(context, in, out);
            }
        } catch (RefusedRequest refusal) {
            refused = stop(refusal);
        }
        passOn(in, out);
        if (refused != null) {
            out.add(refused);
        }
        if (part == Part.REFUSED) {
            in.skipBytes(in.readableBytes());
        }
        begunHead = part == Part.HEAD && in.isReadable();
    }

    /**
     * Tells whether a request is on its way, without as much of it as could be passed on.
     *
     * @return whether a part of a head has come, and not all of it.
     */
    public boolean hasBegunHead() {
        return begunHead;
    }

    /** Reads one line or what there is of a body; false when more bytes must come first. */
    private boolean advance(ChannelHandlerContext context, ByteBuf in, List<Object> out)
            throws RefusedRequest {
        switch (part) {
            case HEAD:
                return readHeadLine(in);
            case BODY:
                return readBody(in);
            case CHUNK_LINE:
                return readChunkLine(in, out);
            case CHUNK:
                return readChunk(context, in);
            case CHUNK_END:
                return readChunkEnd(in);
            case TRAILER:
                return readTrailerLine(in);
            default:
                return false;
        }
    }

    private boolean readHeadLine(ByteBuf in) throws RefusedRequest {
        if (head.isEmpty() && in.readableBytes() > read) {
            byte first = in.getByte(in.readerIndex() + read);
            if (first <= ' ' && first != '\r') {
                throw RefusedRequest.malformed("there is a control character before the request line");
            }
        }
        String line = nextLine(in, MOST_HEAD_BYTES - (read - checked), "the head of a request");
        if (line == null) {
            return false;
        }
        if (!line.isEmpty()) {
            head.add(line);
        } else if (!head.isEmpty()) {
            endHead();
        } else if (emptyLine) {
            throw RefusedRequest.malformed("there is more than one empty line before a request");
        } else {
            emptyLine = true; // some clients send one behind a body (RFC 9112, section 2.2)
        }
        return true;
    }

    private void endHead() throws RefusedRequest {
        long length = head.bodyLength();
        checked = read;
        head = new RequestHead();
        emptyLine = false;
        if (length == RequestHead.CHUNKED) {
            chunks = 0;
            part = Part.CHUNK_LINE;
        } else if (length > 0) {
            toCome = length;
            part = Part.BODY;
        }
    }

    private boolean readBody(ByteBuf in) {
        int bytes = (int) Math.min(toCome, in.readableBytes() - read);
        if (bytes == 0) {
            return false;
        }
        read += bytes;
        checked = read;
        toCome -= bytes;
        if (toCome == 0) {
            part = Part.HEAD;
        }
        return true;
    }

    private boolean readChunkLine(ByteBuf in, List<Object> out) throws RefusedRequest {
        int before = read;
        String line = nextLine(in, MOST_CHUNK_LINE_BYTES, "the line before a chunk");
        if (line == null) {
            return false;
        }
        toCome = chunkSize(line);
        chunks++;
        if (chunks > MOST_CHUNKS) {
            throw new RefusedRequest(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                    "the body has more than " + MOST_CHUNKS + " chunks; send larger ones");
        }
        trailerBytes = 0;
        if (toCome == 0) {
            passOn(in, out);
            checked = read;
            part = Part.TRAILER;
        } else {
            int bytes = read - before;
            passBefore(in, out);
            drop(in, bytes);
            part = Part.CHUNK;
        }
        return true;
    }

    private boolean readChunk(ChannelHandlerContext context, ByteBuf in) {
        int bytes = (int) Math.min(toCome, in.readableBytes());
        if (bytes == 0) {
            return false;
        }
        if (merged == null) {
            merged = context.alloc()
                             .buffer(MERGED_LINE_BYTES + in.readableBytes() + 2)
                             .writeZero(MERGED_LINE_BYTES);
        }
        merged.writeBytes(in, bytes);
        searched = 0;
        toCome -= bytes;
        if (toCome == 0) {
            part = Part.CHUNK_END;
        }
        return true;
    }

    private static long chunkSize(String line) throws RefusedRequest {
        int digits = 0;
        long size = 0;
        while (digits < line.length() && Character.digit(line.charAt(digits), 16) >= 0) {
            size = size * 16 + Character.digit(line.charAt(digits), 16);
            digits++;
            if (digits > MOST_CHUNK_DIGITS) {
                break;
            }
        }
        boolean extended = digits < line.length() && line.charAt(digits) == ';';
        if (digits == 0 || digits > MOST_CHUNK_DIGITS || size > Integer.MAX_VALUE
                || digits < line.length() && !extended) {
            throw RefusedRequest.malformed("the size of a chunk is not a number of up to " + MOST_CHUNK_DIGITS
                    + " hexadecimal digits below 80000000");
        }
        for (int i = digits; i < line.length(); i++) {
            char c = line.charAt(i);
            // A quoted string may go on behind the end of the line, for those who read it so.
            if (c == '"' || c < ' ' && c != '\t' || c >= 0x7f) {
                throw RefusedRequest.malformed(
                        "the extension of a chunk has a quotation mark or a control character");
            }
        }
        return size;
    }

    private boolean readChunkEnd(ByteBuf in) throws RefusedRequest {
        if (in.readableBytes() < 2) {
            return false;
        }
        int at = in.readerIndex();
        if (in.getByte(at) != '\r' || in.getByte(at + 1) != '\n') {
            throw RefusedRequest.malformed("a chunk is longer than its size says");
        }
        in.skipBytes(2);
        searched = 0;
        part = Part.CHUNK_LINE;
        return true;
    }

    private boolean readTrailerLine(ByteBuf in) throws RefusedRequest {
        int before = read;
        String line = nextLine(in, MOST_TRAILER_BYTES - trailerBytes, "the trailer of a request");
        if (line == null) {
            return false;
        }
        trailerBytes += read - before;
        if (line.isEmpty()) {
            part = Part.HEAD;
        } else {
            FieldLine.of(line);
        }
        checked = read;
        return true;
    }

    /**
     * Passes on the chunks of this turn as one, then what has been read and is neither chunk nor its line.
     */
    private void passOn(ByteBuf in, List<Object> out) {
        if (merged != null) {
            String line = String.format(MERGED_LINE, merged.readableBytes() - MERGED_LINE_BYTES);
            merged.setCharSequence(0, line, StandardCharsets.US_ASCII);
            merged.writeCharSequence("\r\n", StandardCharsets.US_ASCII);
            out.add(merged);
            merged = null;
        }
        passBefore(in, out);
    }

    private void passBefore(ByteBuf in, List<Object> out) {
        if (checked > 0) {
            out.add(in.readRetainedSlice(checked));
            read -= checked;
            searched = Math.max(0, searched - checked);
            checked = 0;
        }
    }

    /** Passes over bytes that are in front of all that has not been passed on. */
    private void drop(ByteBuf in, int bytes) {
        in.skipBytes(bytes);
        read -= bytes;
        searched = Math.max(0, searched - bytes);
    }

    /**
     * The next line without CRLF, each byte a character; null when its end has not arrived.
     *
     * @param mostBytes how long it may be, with CRLF.
     * @param what it is, for the message.
     */
    private String nextLine(ByteBuf in, int mostBytes, String what) throws RefusedRequest {
        int start = in.readerIndex() + read;
        int from = Math.max(start, in.readerIndex() + searched);
        int end = in.indexOf(from, in.writerIndex(), (byte) '\n');
        searched = (end < 0 ? in.writerIndex() : end) - in.readerIndex();
        if (searched - read >= mostBytes) {
            throw RefusedRequest.malformed(what + " is too large");
        }
        if (end < 0) {
            return null;
        }
        if (end == start || in.getByte(end - 1) != '\r') {
            throw RefusedRequest.malformed(what + " has a line that does not end in CRLF");
        }
        read = end + 1 - in.readerIndex();
        return in.toString(start, end - 1 - start, StandardCharsets.ISO_8859_1);
    }

    /** What the handlers behind the decoder get in place of the request, or of the end of its body. */
    private HttpObject stop(RefusedRequest refusal) {
        HttpObject refused = part == Part.HEAD ? refusal.inPlaceOfRequest() : refusal.inPlaceOfEnd();
        part = Part.REFUSED;
        return refused;
    }
}
