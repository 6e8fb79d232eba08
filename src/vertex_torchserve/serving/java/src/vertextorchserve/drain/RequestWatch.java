package vertextorchserve.drain;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import vertextorchserve.http.AnswerPart;

/**
 * Counts the requests of one connection from their first line to the last byte of their answer, and closes
 * the connection with its last answer while the server drains.
 *
 * <p>It comes before every handler that answers, so that a request counts while its body is still being sent,
 * and also when TorchServe never sees it (413, a malformed request).
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class RequestWatch extends ChannelDuplexHandler {
    private final Traffic traffic;
    private int unanswered;

    /**
     * A watch for a new connection.
     *
     * @param traffic where its requests are counted, with those of all other connections.
     */
    public RequestWatch(Traffic traffic) {
        this.traffic = traffic;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        traffic.connectionOpened();
        super.channelActive(context);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        traffic.requestsAbandoned(unanswered);
        unanswered = 0;
        super.channelInactive(context);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest) {
            unanswered++;
            traffic.requestBegan();
        }
        super.channelRead(context, message);
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        // With more than one unanswered, the client has sent further requests already, and gets their
        // answers.
        if (message instanceof HttpResponse response && AnswerPart.is(message) && traffic.isDraining()
                && unanswered == 1) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        if (AnswerPart.isLast(message)) {
            promise.addListener(written -> answered());
        }
        super.write(context, message, promise);
    }

    private void answered() {
        if (unanswered > 0) { // 0 when the connection went away before its answer
            unanswered--;
            traffic.requestAnswered();
        }
    }
}
