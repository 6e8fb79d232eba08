package vertextorchserve;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Answers 504 to a request that has no answer after so long; the worker goes on.
 *
 * <p>The connection ends with the 504: what the worker answers later goes nowhere. A request whose
 * connection ended, this way or because the client went away, need not reach a worker any more.
 */
final class AnswerDeadline extends ChannelDuplexHandler {

    private final Duration limit;
    private Future<?> deadline; // null: no request is waiting for its answer

    AnswerDeadline(Duration limit) {
        this.limit = limit;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest) {
            deadline =
                    context.executor()
                            .schedule(() -> expire(context), limit.toMillis(), TimeUnit.MILLISECONDS);
        }
        super.channelRead(context, message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (message instanceof HttpResponse) {
            cancel();
        }
        super.write(context, message, promise);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        if (deadline != null) {
            cancel();
            Models.dropAbandonedRequests();
        }
        super.channelInactive(context);
    }

    private void cancel() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }

    private void expire(ChannelHandlerContext context) {
        ErrorAnswer.send(
                context,
                HttpResponseStatus.GATEWAY_TIMEOUT,
                "no answer within "
                        + limit.toSeconds()
                        + " s, the longest a request may take; send fewer instances at a time, or raise "
                        + "VTS_REQUEST_TIMEOUT_SECONDS");
        context.channel().closeFuture().addListener(closed -> Models.dropAbandonedRequests());
    }
}
