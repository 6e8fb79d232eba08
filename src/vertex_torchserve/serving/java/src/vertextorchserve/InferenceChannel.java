package vertextorchserve;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import org.pytorch.serve.http.HttpRequestHandler;
import org.pytorch.serve.http.HttpRequestHandlerChain;
import org.pytorch.serve.http.InvalidRequestHandler;
import org.pytorch.serve.http.TokenAuthorizationHandler;
import org.pytorch.serve.http.api.rest.ApiDescriptionRequestHandler;
import org.pytorch.serve.http.api.rest.InferenceRequestHandler;
import org.pytorch.serve.servingsdk.impl.PluginsManager;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.ConnectorType;
import org.pytorch.serve.util.TokenAuthorization.TokenType;

/**
 * What a connection to the inference port goes through: TorchServe's handlers with ours around them, and
 * without those for workflows and the open inference protocol, which calls every model ready.
 */
final class InferenceChannel extends ChannelInitializer<Channel> {

    private final Traffic traffic;
    private final Settings settings;

    InferenceChannel(Traffic traffic, Settings settings) {
        this.traffic = traffic;
        this.settings = settings;
    }

    @Override
    protected void initChannel(Channel channel) {
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addLast("http", new HttpServerCodec());
        pipeline.addLast("lingering close", new LingeringClose());
        // Ends a connection when HTTP says so: TorchServe keeps it whatever the client asked for.
        pipeline.addLast("keep alive", new HttpServerKeepAliveHandler());
        pipeline.addLast("watch", new RequestWatch(traffic));
        pipeline.addLast("one at a time", new OneAtATime());
        pipeline.addLast("access log", new AccessLog());
        pipeline.addLast("torchserve errors", new TorchServeErrors());
        pipeline.addLast("body budget", new BodyBudget());
        pipeline.addLast("body limit", new BodyLimit(ConfigManager.getInstance().getMaxRequestSize()));
        pipeline.addLast("deadline", new AnswerDeadline(settings.requestTimeout()));
        pipeline.addLast("handler", new HttpRequestHandler(routes()));
    }

    private static HttpRequestHandlerChain routes() {
        HttpRequestHandlerChain first = new Admission();
        first.setNextHandler(new ApiDescriptionRequestHandler(ConnectorType.INFERENCE_CONNECTOR))
                .setNextHandler(new TokenAuthorizationHandler(TokenType.INFERENCE))
                .setNextHandler(
                        new InferenceRequestHandler(PluginsManager.getInstance().getInferenceEndpoints()))
                .setNextHandler(new InvalidRequestHandler());
        return first;
    }
}
