package vertextorchserve.forms;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponseStatus;
import vertextorchserve.http.RefusedRequest;

/** Counts the fields of a body of type application/x-www-form-urlencoded. */
final class FieldCount implements FormCount {
    private final int mostFields;
    private int fields = 1;

    FieldCount(int mostFields) {
        this.mostFields = mostFields;
    }

    @Override
    public void read(ByteBuf bytes) throws RefusedRequest {
        if (bytes.forEachByte(this::isWithinLimit) >= 0) {
            throw new RefusedRequest(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                    "the form has more than " + mostFields
                            + " fields, the most that is accepted; send the instances as JSON");
        }
    }

    private boolean isWithinLimit(byte next) {
        if (next == '&') {
            fields++;
        }
        return fields <= mostFields;
    }
}
