package vertextorchserve.limits;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.time.Duration;
import vertextorchserve.http.ErrorAnswer;
import vertextorchserve.queue.Costly;
import vertextorchserve.queue.ModelQueues;

/**
 * Answers 504 to a request that has had no answer for too long. The worker is told when that will be, by a
 * header of the request, and when the client has gone before, so that a handler can end its work; it is not
 * interrupted.
 *
 * <p>The connection is closed with the 504, so that a later answer of the worker is dropped. A request whose
 * connection is closed, by the 504 or by the client, is also taken out of the queue.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class AnswerDeadline extends ChannelDuplexHandler {
    // handlers/hf_handler/waiting.py reads both.
    /** When the 504 will be sent, in milliseconds of Unix time. */
    private static final String ANSWER_BY = "x-vts-answer-by";

    /** The request's number in {@link AbandonedRequests}. */
    private static final String NUMBER = "x-vts-request-number";

    private final Duration limit;
    private final AbandonedRequests abandoned;
    private long number; // of the request that waits for its answer
    private boolean waiting; // a request, for its answer
    private Alarm alarm;

    /**
     * A deadline for the requests of a new connection.
     *
     * @param limit how long a request may be without an answer, counted from its last byte.
     * @param abandoned is told of requests whose connection ends before their answer.
     */
    public AnswerDeadline(Duration limit, AbandonedRequests abandoned) {
        this.limit = limit;
        this.abandoned = abandoned;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        alarm = new Alarm(() -> expire(context));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest request) {
            // In place of those that the client may have sent.
            number = abandoned.next();
            request.headers().set(ANSWER_BY, System.currentTimeMillis() + limit.toMillis());
            request.headers().set(NUMBER, number);
            request.headers().remove(Costly.HEADER);
            waiting = true;
            alarm.set(context.executor(), limit.toNanos());
        }
        super.channelRead(context, message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (message instanceof HttpResponse && waiting) {
            waiting = false;
            alarm.unset();
        }
        super.write(context, message, promise);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        alarm.discard();
        if (waiting) {
            waiting = false;
            abandoned.add(number);
            ModelQueues.dropAbandonedRequests();
        }
        super.channelInactive(context);
    }

    private void expire(ChannelHandlerContext context) {
        ErrorAnswer.send(context, HttpResponseStatus.GATEWAY_TIMEOUT,
                "no answer within " + limit.toSeconds()
                        + " s, the longest a request may take; send fewer instances at a time, or raise "
                        + "VTS_REQUEST_TIMEOUT_SECONDS");
        context.channel().closeFuture().addListener(closed -> ModelQueues.dropAbandonedRequests());
    }
}
