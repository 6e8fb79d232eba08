package vertextorchserve.limits;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import org.pytorch.serve.util.NettyUtils;
import vertextorchserve.http.ErrorAnswer;

/**
 * Puts the parts of a request together, and answers 413 with the limit to a body that is larger than that.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class BodyLimit extends HttpObjectAggregator {
    /**
     * A limit for the requests of a new connection.
     *
     * @param mostBytes the largest body that is accepted, in bytes.
     */
    public BodyLimit(int mostBytes) {
        super(mostBytes);
    }

    /**
     * No answer to {@code Expect: 100-continue} for a body that is too large; the 413 follows from {@link
     * #handleOversizedMessage}. Netty's own answer here would be a 413 without a body.
     */
    @Override
    protected Object newContinueResponse(HttpMessage start, int mostBytes, ChannelPipeline pipeline) {
        boolean refused = HttpUtil.is100ContinueExpected(start) && isContentLengthInvalid(start, mostBytes);
        return refused ? null : super.newContinueResponse(start, mostBytes, pipeline);
    }

    @Override
    protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage oversized) {
        NettyUtils.requestReceived(context.channel(), (HttpRequest) oversized);
        ErrorAnswer.send(context, HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                "the request body is larger than " + maxContentLength()
                        + " bytes, the most that is accepted; send fewer or smaller instances at a time");
    }
}
