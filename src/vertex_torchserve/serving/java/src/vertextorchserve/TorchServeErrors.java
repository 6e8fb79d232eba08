package vertextorchserve;

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
 * Turns the errors of TorchServe ({@code {"code", "type", "message"}}) and of netty (no body at all) into
 * {@link ErrorAnswer}s of the same status. What a handler or the envelope answered passes as it is.
 */
final class TorchServeErrors extends ChannelOutboundHandlerAdapter {

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
            throws Exception {
        Object answer = message;
        if (message instanceof FullHttpResponse error && error.status().code() >= 400) {
            Optional<String> words = words(error);
            if (words.isPresent()) {
                // Netty's own are shared by all connections: their content can't be changed.
                answer = new DefaultFullHttpResponse(error.protocolVersion(), error.status());
                ((FullHttpResponse) answer).headers().set(error.headers());
                ErrorAnswer.fill((FullHttpResponse) answer, words.get());
                ReferenceCountUtil.release(error);
            }
        }
        super.write(context, answer, promise);
    }

    /** What the client is to read; empty for a body that is not TorchServe's or netty's. */
    private static Optional<String> words(FullHttpResponse error) {
        if (!error.content().isReadable()) {
            return Optional.of(error.status().reasonPhrase());
        }
        try {
            String body = error.content().toString(StandardCharsets.UTF_8);
            ErrorResponse said = JsonUtils.GSON.fromJson(body, ErrorResponse.class);
            if (said == null || said.getCode() != error.status().code() || said.getType() == null) {
                return Optional.empty();
            }
            return Optional.of(
                    said.getMessage() == null ? error.status().reasonPhrase() : said.getMessage());
        } catch (JsonSyntaxException notAnObject) {
            return Optional.empty();
        }
    }
}
