package vertextorchserve;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.concurrent.TimeUnit;
import org.pytorch.serve.util.NettyUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/**
 * One line for each request: {@code /<address> "<method> <path> <protocol>" <status> <ms> <request id>}.
 *
 * <p>TorchServe's own line has no request id, has the query string, and is written when an answer is
 * begun; log4j2.xml leaves it out, which the marker of ours is for. The time is that up to the last byte
 * of the answer; a status {@code -} says that the client went away before that. Stands behind {@link
 * OneAtATime}, so that there is one request at a time.
 */
final class AccessLog extends ChannelDuplexHandler {

    private static final Logger LOG = LoggerFactory.getLogger("ACCESS_LOG"); // TorchServe's name for it
    private static final Marker WITH_REQUEST_ID = MarkerFactory.getMarker("WITH_REQUEST_ID");

    private HttpRequest request; // null: none is waiting for its answer
    private long began;
    private String status = "-";
    private String id;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest head) {
            request = head;
            began = System.nanoTime();
        }
        super.channelRead(context, message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (RequestWatch.isContinue(message)) {
            super.write(context, message, promise);
            return;
        }
        if (message instanceof HttpResponse answer) {
            status = answer.status().codeAsText().toString();
            id = answer.headers().get("x-request-id");
        }
        if (message instanceof LastHttpContent) {
            promise.addListener(written -> log(context));
        }
        super.write(context, message, promise);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        status = "-";
        id = NettyUtils.getRequestId(context.channel());
        log(context);
        super.channelInactive(context);
    }

    private void log(ChannelHandlerContext context) {
        if (request == null) { // its client went away before
            return;
        }
        LOG.info(
                WITH_REQUEST_ID,
                "{} \"{} {} {}\" {} {} {}",
                context.channel().remoteAddress(),
                request.method(),
                new QueryStringDecoder(request.uri()).rawPath(),
                request.protocolVersion(),
                status,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began),
                id == null ? "-" : id);
        request = null;
    }
}
