package vertextorchserve.limits;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import vertextorchserve.http.ErrorAnswer;
import vertextorchserve.queue.ModelQueues;

/**
 * Answers 504 to a request that has had no answer for too long. The worker is told when that will be, by a
 * header of the request, so that a handler can end its work then; it is not interrupted.
 *
 * <p>The connection is closed with the 504, so that a later answer of the worker is dropped. A request whose
 * connection is closed, by the 504 or by the client, is also taken out of the queue.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class AnswerDeadline extends ChannelDuplexHandler {
    /** When the 504 will be sent, in milliseconds of Unix time; handlers/hf_handler/deadline.py reads it. */
    private static final String ANSWER_BY = "x-vts-answer-by";

    private final Duration limit;
    private Future<?> deadline; // null: no request is waiting for its answer

    /**
     * A deadline for the requests of a new connection.
     *
     * @param limit how long a request may be without an answer, counted from its last byte.
     */
    public AnswerDeadline(Duration limit) {
        this.limit = limit;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest request) {
            // In place of one that the client may have sent.
            request.headers().set(ANSWER_BY, System.currentTimeMillis() + limit.toMillis());
            deadline = context.executor().schedule(
                    () -> expire(context), limit.toMillis(), TimeUnit.MILLISECONDS);
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
            ModelQueues.dropAbandonedRequests();
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
        ErrorAnswer.send(context, HttpResponseStatus.GATEWAY_TIMEOUT,
                "no answer within " + limit.toSeconds()
                        + " s, the longest a request may take; send fewer instances at a time, or raise "
                        + "VTS_REQUEST_TIMEOUT_SECONDS");
        context.channel().closeFuture().addListener(closed -> ModelQueues.dropAbandonedRequests());
    }
}
