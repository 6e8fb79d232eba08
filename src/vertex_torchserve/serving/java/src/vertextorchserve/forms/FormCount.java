package vertextorchserve.forms;

import io.netty.buffer.ByteBuf;
import vertextorchserve.http.RefusedRequest;

/** What has been counted of one form so far. Used by the connection's thread. */
interface FormCount {
    /**
     * Reads on, and changes nothing of the bytes.
     *
     * @param bytes the next bytes of the body.
     * @throws RefusedRequest as soon as the form is over a limit.
     */
    void read(ByteBuf bytes) throws RefusedRequest;
}
