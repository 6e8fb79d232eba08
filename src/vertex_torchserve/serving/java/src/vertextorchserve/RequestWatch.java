package vertextorchserve;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;

/**
 * Counts the requests of one connection from their first line to the last byte of their answer, and
 * asks for the connection to end with its answer while the server drains.
 *
 * <p>Stands in front of everything that answers: a body that is still being sent counts, and so does an
 * answer that TorchServe's own handlers never see (413, a malformed request). Netty calls it from one
 * thread.
 */
final class RequestWatch extends ChannelDuplexHandler {

    private final Traffic traffic;
    private int unanswered;

    RequestWatch(Traffic traffic) {
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
        if (isContinue(message)) {
            super.write(context, message, promise);
            return;
        }
        // A pipelined request behind this one was accepted too: only the last answer ends it.
        if (message instanceof HttpResponse response && traffic.isDraining() && unanswered == 1) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        if (message instanceof LastHttpContent) {
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

    /** 100 Continue says "go on sending", it answers nothing. */
    static boolean isContinue(Object message) {
        return message instanceof HttpResponse response
                && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
    }
}
