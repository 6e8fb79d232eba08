package vertextorchserve.http;

import com.google.gson.JsonSyntaxException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.pytorch.serve.http.ErrorResponse;
import org.pytorch.serve.util.JsonUtils;

/**
 * Gives the errors of TorchServe ({@code {"code", "type", "message"}}) and of netty (no body at all) the body
 * of an
 * {@link ErrorAnswer}; the status stays. What a model's handler or the envelope answered is not changed.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class TorchServeErrors extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        Object answer = message;
        if (message instanceof FullHttpResponse error && error.status().code() >= 400) {
            Optional<String> reason = reason(error);
            if (reason.isPresent()) {
                // Netty's errors are objects that all connections share: their content can't be changed.
                answer = new DefaultFullHttpResponse(error.protocolVersion(), error.status());
                ((FullHttpResponse) answer).headers().set(error.headers());
                ErrorAnswer.fill((FullHttpResponse) answer, reason.get());
                ReferenceCountUtil.release(error);
            }
        }
        super.write(context, answer, promise);
    }

    /** TorchServe's or netty's message; empty for a body that neither of them wrote. */
    private static Optional<String> reason(FullHttpResponse error) {
        if (!error.content().isReadable()) {
            return Optional.of(error.status().reasonPhrase());
        }
        try {
            String body = error.content().toString(StandardCharsets.UTF_8);
            ErrorResponse answered = JsonUtils.GSON.fromJson(body, ErrorResponse.class);
            if (answered == null || answered.getCode() != error.status().code()
                    || answered.getType() == null) {
                return Optional.empty();
            }
            return Optional.of(
                    answered.getMessage() == null ? error.status().reasonPhrase() : answered.getMessage());
        } catch (JsonSyntaxException notAnObject) {
            return Optional.empty();
        }
    }
}
