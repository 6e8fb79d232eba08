package vertextorchserve.forms;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import org.pytorch.serve.util.NettyUtils;
import vertextorchserve.http.ErrorAnswer;
import vertextorchserve.http.RefusedRequest;

/**
 * Answers 413 to a form with too many fields, parts or bytes, or with too long headers, as soon as so much of
 * it has arrived. Netty's decoder would work on it for seconds, in the thread that other connections need
 * too.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class FormLimit extends ChannelInboundHandlerAdapter {
    private final int mostFields;
    private final int mostUrlencodedBytes;
    private final int mostHeaderBytes;
    private HttpRequest head;
    private FormCount count; // null: the body is no form
    private boolean refused; // and closed: what still comes is dropped

    /**
     * A limit for the forms of a new connection.
     *
     * @param mostFields how many fields or parts a form may have.
     * @param mostUrlencodedBytes how many bytes a form may have that is not in parts.
     * @param mostHeaderBytes how many bytes the headers of one part may have.
     */
    public FormLimit(int mostFields, int mostUrlencodedBytes, int mostHeaderBytes) {
        this.mostFields = mostFields;
        this.mostUrlencodedBytes = mostUrlencodedBytes;
        this.mostHeaderBytes = mostHeaderBytes;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        try {
            if (message instanceof HttpRequest request) {
                head = request;
                count = count(request);
            }
            if (count != null && message instanceof HttpContent content) {
                count.read(content.content());
            }
        } catch (RefusedRequest refusal) {
            refused = true;
            NettyUtils.requestReceived(context.channel(), head);
            ErrorAnswer.send(context, refusal.status(), refusal.getMessage());
        }
        if (refused) {
            ReferenceCountUtil.release(message);
        } else {
            super.channelRead(context, message);
        }
    }

    private FormCount count(HttpRequest request) throws RefusedRequest {
        if (FormType.isUrlencoded(request)) {
            return new FieldCount(mostFields, mostUrlencodedBytes);
        }
        String boundary = FormType.boundary(request);
        return boundary == null ? null : new PartCount(boundary, mostFields, mostHeaderBytes);
    }
}
