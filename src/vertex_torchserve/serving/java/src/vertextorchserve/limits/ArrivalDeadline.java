package vertextorchserve.limits;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import vertextorchserve.http.AnswerPart;
import vertextorchserve.http.RefusedRequest;
import vertextorchserve.http.StrictFraming;

/**
 * Ends connections that are held open by sending or reading slowly: 408 to a request whose head or body takes
 * too long to arrive, and a close where a client doesn't take its answer, or sends no further request.
 *
 * <p>A head may take a fixed time. A body and an answer may take that time and as much more as their bytes
 * need at a slow pace. Nothing is counted while a request waits for its answer: the client has done its part.
 *
 * <p>One for each connection, directly behind the decoder; netty calls it in the connection's thread.
 */
public final class ArrivalDeadline extends ChannelDuplexHandler {
    private enum Phase { NONE, IDLE, HEAD, BODY, ANSWER }

    private final StrictFraming framing;
    private final Duration most;
    private final Duration mostIdle;
    private final int slowest; // bytes a second

    private Phase phase = Phase.NONE;
    private long began; // System.nanoTime() of the phase
    private Alarm alarm; // of the phase's end

    private boolean arriving; // the head of a request has come, the end of its body hasn't
    private long bodyBytes; // that have come
    private int unanswered; // requests that have come whole
    private boolean sending; // the end of an answer
    private long answerBytes; // that have been written
    private boolean closing; // with an answer that was sent before its request had come whole
    private boolean expired; // what still comes is dropped

    /**
     * A deadline for what comes on a new connection.
     *
     * @param framing knows whether a part of a head has come.
     * @param most how long a head may take, and a body or an answer of no bytes.
     * @param mostIdle how long a connection may be open without a request.
     * @param slowest with how many bytes a second a body or an answer may take longer.
     */
    public ArrivalDeadline(StrictFraming framing, Duration most, Duration mostIdle, int slowest) {
        this.framing = framing;
        this.most = most;
        this.mostIdle = mostIdle;
        this.slowest = slowest;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        alarm = new Alarm(() -> expire(context));
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        update(context);
        super.channelActive(context);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        closing = true;
        update(context);
        alarm.discard();
        super.channelInactive(context);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (expired) {
            ReferenceCountUtil.release(message);
            return;
        }
        if (message instanceof HttpRequest) {
            arriving = true;
            bodyBytes = 0;
        }
        if (message instanceof HttpContent content) {
            bodyBytes += content.content().readableBytes();
        }
        if (message instanceof LastHttpContent) {
            arriving = false;
            unanswered++;
        }
        super.channelRead(context, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) throws Exception {
        super.channelReadComplete(context);
        update(context);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        if (message instanceof HttpContent part && AnswerPart.is(message)) {
            answerBytes += part.content().readableBytes();
        }
        if (AnswerPart.isLast(message)) {
            closing |= arriving;
            sending = true;
            update(context);
            promise.addListener(written -> answered(context));
        }
        super.write(context, message, promise);
    }

    private void answered(ChannelHandlerContext context) {
        sending = false;
        answerBytes = 0;
        unanswered--;
        update(context);
    }

    private void update(ChannelHandlerContext context) {
        Phase now = phaseNow();
        if (now == phase) {
            return;
        }
        phase = now;
        began = System.nanoTime();
        if (phase == Phase.NONE) {
            alarm.unset();
        } else {
            alarm.set(context.executor(), mayTake());
        }
    }

    private Phase phaseNow() {
        if (closing || expired) {
            return Phase.NONE; // LingeringClose has limits of its own
        }
        if (sending) {
            return Phase.ANSWER;
        }
        if (unanswered > 0) {
            return Phase.NONE;
        }
        if (arriving) {
            return Phase.BODY;
        }
        return framing.hasBegunHead() ? Phase.HEAD : Phase.IDLE;
    }

    /** How long the phase may take, in nanoseconds, by the bytes that have come so far. */
    private long mayTake() {
        return switch (phase) {
            case IDLE -> mostIdle.toNanos();
            case BODY -> timeFor(bodyBytes);
            case ANSWER -> timeFor(answerBytes);
            default -> most.toNanos();
        };
    }

    private long timeFor(long bytes) {
        return most.toNanos() + bytes * TimeUnit.SECONDS.toNanos(1) / slowest;
    }

    private void expire(ChannelHandlerContext context) {
        long left = began + mayTake() - System.nanoTime();
        if (left > 0) { // more of the body has come
            alarm.set(context.executor(), left);
            return;
        }
        expired = true;
        switch (phase) {
            case HEAD -> refuse(context, refusal("the head of the request", "").inPlaceOfRequest());
            case BODY ->
                refuse(context,
                        refusal("the body", " and a second for each " + slowest + " bytes").inPlaceOfEnd());
            default -> context.close();
        }
    }

    private RefusedRequest refusal(String what, String more) {
        return new RefusedRequest(HttpResponseStatus.REQUEST_TIMEOUT,
                what + " has not arrived within " + most.toSeconds() + " s" + more
                        + ", the longest it may take; send it faster, or raise VTS_READ_TIMEOUT_SECONDS");
    }

    private static void refuse(ChannelHandlerContext context, HttpObject refused) {
        context.fireChannelRead(refused);
        context.fireChannelReadComplete();
    }
}
