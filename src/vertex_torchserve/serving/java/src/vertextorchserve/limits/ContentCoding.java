package vertextorchserve.limits;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import java.util.Map;
import org.pytorch.serve.util.NettyUtils;
import vertextorchserve.http.ErrorAnswer;

/**
 * Answers 415 to a request whose body is compressed. The handler would be given the compressed bytes, and to
 * decompress them here would let ten megabytes stand for ten gigabytes.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class ContentCoding extends ChannelInboundHandlerAdapter {
    private boolean refused; // and closed: what still comes is dropped

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (!refused && message instanceof HttpRequest request && isCoded(request)) {
            refused = true;
            NettyUtils.requestReceived(context.channel(), request);
            ErrorAnswer.send(context, HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
                    "the body has a Content-Encoding, such as gzip; send it without",
                    Map.of(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.IDENTITY));
        }
        if (refused) {
            ReferenceCountUtil.release(message);
        } else {
            super.channelRead(context, message);
        }
    }

    private static boolean isCoded(HttpRequest request) {
        List<String> codings = request.headers().getAll(HttpHeaderNames.CONTENT_ENCODING);
        return !codings.stream().allMatch(HttpHeaderValues.IDENTITY::contentEqualsIgnoreCase);
    }
}
