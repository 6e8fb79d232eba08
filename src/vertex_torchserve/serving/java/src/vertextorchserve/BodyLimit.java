package vertextorchserve;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import org.pytorch.serve.util.NettyUtils;

/** Puts requests together, and answers 413 with the limit to a body that is larger than that. */
final class BodyLimit extends HttpObjectAggregator {

    BodyLimit(int mostBytes) {
        super(mostBytes);
    }

    /** None for a body that is too large, announced or not: netty's own would be a 413 without a word. */
    @Override
    protected Object newContinueResponse(HttpMessage start, int mostBytes, ChannelPipeline pipeline) {
        boolean refused =
                HttpUtil.is100ContinueExpected(start) && isContentLengthInvalid(start, mostBytes);
        return refused ? null : super.newContinueResponse(start, mostBytes, pipeline);
    }

    @Override
    protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage oversized) {
        NettyUtils.requestReceived(context.channel(), (HttpRequest) oversized);
        ErrorAnswer.send(
                context,
                HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                "the request body is larger than "
                        + maxContentLength()
                        + " bytes, the most that is accepted; send fewer or smaller instances at a time");
    }
}
