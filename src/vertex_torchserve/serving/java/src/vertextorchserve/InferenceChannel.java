package vertextorchserve;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutorGroup;
import java.io.IOException;
import org.pytorch.serve.http.HttpRequestHandlerChain;
import org.pytorch.serve.http.InvalidRequestHandler;
import org.pytorch.serve.http.TokenAuthorizationHandler;
import org.pytorch.serve.http.api.rest.InferenceRequestHandler;
import org.pytorch.serve.servingsdk.impl.PluginsManager;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.TokenAuthorization.TokenType;
import vertextorchserve.api.ApiDescription;
import vertextorchserve.api.KServeModels;
import vertextorchserve.drain.RequestWatch;
import vertextorchserve.drain.Traffic;
import vertextorchserve.forms.FormLimit;
import vertextorchserve.forms.FormRequestHandler;
import vertextorchserve.forms.OtherThanForms;
import vertextorchserve.http.ClientGone;
import vertextorchserve.http.LingeringClose;
import vertextorchserve.http.OneAtATime;
import vertextorchserve.http.PlatformRoutes;
import vertextorchserve.http.RefusalAnswer;
import vertextorchserve.http.StrictFraming;
import vertextorchserve.http.TorchServeErrors;
import vertextorchserve.limits.AbandonedRequests;
import vertextorchserve.limits.Admission;
import vertextorchserve.limits.AnswerDeadline;
import vertextorchserve.limits.ArrivalDeadline;
import vertextorchserve.limits.BodyBudget;
import vertextorchserve.limits.BodyLimit;
import vertextorchserve.limits.ConnectionLimit;
import vertextorchserve.limits.ContentCoding;
import vertextorchserve.log.AccessLog;
import vertextorchserve.ready.Readiness;

/**
 * Sets up the handlers of a new connection to the inference port: TorchServe's, with ours before and after
 * them. TorchServe's routes for workflows are left out, and so are those of the open inference protocol,
 * which says of every model that it is ready.
 *
 * <p>One for all connections; netty calls it in the thread of each new one.
 */
final class InferenceChannel extends ChannelInitializer<Channel> {
    /** As many forms are decoded at once; small ones don't wait for all of the large ones. */
    private static final int FORM_THREADS = 4;

    private final Traffic traffic;
    private final Settings settings;
    private final AbandonedRequests abandoned;
    private final EventExecutorGroup formThreads =
            new DefaultEventExecutorGroup(FORM_THREADS, new DefaultThreadFactory("forms", true));

    /**
     * What sets up connections.
     *
     * @throws IOException when the table of abandoned requests can't be written.
     */
    InferenceChannel(Traffic traffic, Settings settings) throws IOException {
        this.traffic = traffic;
        this.settings = settings;
        abandoned = new AbandonedRequests(settings.abandonedFile());
    }

    @Override
    protected void initChannel(Channel channel) {
        ChannelPipeline pipeline = channel.pipeline();
        StrictFraming framing = new StrictFraming();
        pipeline.addLast("strict framing", framing);
        pipeline.addLast("http", new HttpServerCodec());
        pipeline.addLast("platform routes", new PlatformRoutes(settings.routes()));
        pipeline.addLast("arrival deadline",
                new ArrivalDeadline(framing, settings.readTimeout(), settings.idleTimeout(),
                        settings.slowestBytesPerSecond()));
        pipeline.addLast("lingering close", new LingeringClose());
        // Closes a connection whose client asked for that with Connection: close; TorchServe would keep it
        // open.
        pipeline.addLast("keep alive", new HttpServerKeepAliveHandler());
        pipeline.addLast("watch", new RequestWatch(traffic));
        pipeline.addLast("one at a time", new OneAtATime());
        pipeline.addLast("access log", new AccessLog());
        pipeline.addLast("torchserve errors", new TorchServeErrors());
        pipeline.addLast("connection limit", new ConnectionLimit(settings.connections()));
        pipeline.addLast("content coding", new ContentCoding());
        pipeline.addLast("body budget", new BodyBudget());
        pipeline.addLast("form limit",
                new FormLimit(settings.formFields(), settings.formUrlencodedBytes(),
                        settings.formPartHeaderBytes()));
        pipeline.addLast("body limit", new BodyLimit(ConfigManager.getInstance().getMaxRequestSize()));
        pipeline.addLast("refusal answer", new RefusalAnswer());
        pipeline.addLast("deadline", new AnswerDeadline(settings.requestTimeout(), abandoned));
        pipeline.addLast("client gone", new ClientGone());
        pipeline.addLast("handler", new OtherThanForms(routes(), this::addFormHandler));
    }

    /** Netty 4.2 discourages handlers with threads of their own, and still runs them as 4.1 does. */
    @SuppressWarnings("deprecation")
    private void addFormHandler(ChannelPipeline pipeline) {
        pipeline.addLast(formThreads, "form handler", new FormRequestHandler(routes()));
    }

    private HttpRequestHandlerChain routes() {
        HttpRequestHandlerChain first = new KServeModels(new Readiness(traffic, settings.readyFile()));
        first.setNextHandler(new Admission(settings.loadRetry()))
                .setNextHandler(new ApiDescription(settings.apiFile(), settings.loadRetry()))
                .setNextHandler(new TokenAuthorizationHandler(TokenType.INFERENCE))
                .setNextHandler(
                        new InferenceRequestHandler(PluginsManager.getInstance().getInferenceEndpoints()))
                .setNextHandler(new InvalidRequestHandler());
        return first;
    }
}
