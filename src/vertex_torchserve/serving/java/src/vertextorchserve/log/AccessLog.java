package vertextorchserve.log;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.time.Duration;
import java.util.Set;
import org.pytorch.serve.util.NettyUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;
import vertextorchserve.http.AnswerPart;
import vertextorchserve.metrics.Measured;

/**
 * Counts the requests, and logs one line for each: {@code /<address> "<method> <path> <protocol>" <status>
 * <ms> <request id>}.
 *
 * <p>The milliseconds are those from the first line of the request to the last byte of its answer. The
 * status is {@code -} when the connection was closed before that.
 *
 * <p>TorchServe writes a line of its own to the same logger: without the request id, with the query string,
 * which may be private, and before the answer is sent. Our lines carry a marker, by which log4j2.xml keeps
 * ours and drops TorchServe's.
 *
 * <p>One for each connection; netty calls it in the connection's thread. It must come behind {@link
 * vertextorchserve.http.OneAtATime}, which passes on one request at a time: this class remembers only one.
 */
public final class AccessLog extends ChannelDuplexHandler {
    private static final Logger LOG = LoggerFactory.getLogger("ACCESS_LOG"); // TorchServe's name for it
    private static final Marker WITH_REQUEST_ID = MarkerFactory.getMarker("WITH_REQUEST_ID");

    /** Of probes, scrapes and descriptions, which would make the figures of predictions look better. */
    private static final Set<HttpMethod> NO_PREDICTIONS = Set.of(HttpMethod.GET, HttpMethod.OPTIONS);

    private HttpRequest request; // null while no request is unanswered
    private long began; // System.nanoTime()
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
        if (message instanceof HttpResponse answer && AnswerPart.is(message)) {
            status = answer.status().codeAsText().toString();
            id = answer.headers().get("x-request-id");
        }
        if (AnswerPart.isLast(message)) {
            promise.addListener(written -> {
                status = written.isSuccess() ? status : "-";
                log(context);
            });
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
        if (request == null) { // logged before, when its client closed the connection
            return;
        }
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        if (!NO_PREDICTIONS.contains(request.method())) {
            Measured.answered(status.equals("-") ? "closed" : status, took);
        }
        LOG.info(WITH_REQUEST_ID, "{} \"{} {} {}\" {} {} {}", context.channel().remoteAddress(),
                request.method(), new QueryStringDecoder(request.uri()).rawPath(), request.protocolVersion(),
                status, took.toMillis(), id == null ? "-" : id);
        request = null;
    }
}
