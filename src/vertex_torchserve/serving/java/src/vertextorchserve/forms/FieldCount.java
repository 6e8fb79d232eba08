package vertextorchserve.forms;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponseStatus;
import vertextorchserve.http.RefusedRequest;

/** Counts the fields and the bytes of a body of type application/x-www-form-urlencoded. */
final class FieldCount implements FormCount {
    private final int mostFields;
    private final int mostBytes;
    private int fields = 1;
    private int bytesRead;

    FieldCount(int mostFields, int mostBytes) {
        this.mostFields = mostFields;
        this.mostBytes = mostBytes;
    }

    @Override
    public void read(ByteBuf bytes) throws RefusedRequest {
        if (bytes.forEachByte(this::isWithinLimit) >= 0) {
            throw new RefusedRequest(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                    "the form has more than " + mostFields
                            + " fields, the most that is accepted; send the instances as JSON");
        }
        bytesRead += bytes.readableBytes();
        if (bytesRead > mostBytes) {
            throw new RefusedRequest(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                    "a form that is not in parts has more than " + mostBytes
                            + " bytes, the most that is accepted; send JSON or multipart/form-data");
        }
    }

    private boolean isWithinLimit(byte next) {
        if (next == '&') {
            fields++;
        }
        return fields <= mostFields;
    }
}
