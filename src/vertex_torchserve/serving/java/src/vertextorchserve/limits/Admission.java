package vertextorchserve.limits;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder.ErrorDataDecoderException;
import java.time.Duration;
import java.util.Set;
import org.pytorch.serve.archive.DownloadArchiveException;
import org.pytorch.serve.archive.model.ModelException;
import org.pytorch.serve.archive.workflow.WorkflowException;
import org.pytorch.serve.http.HttpRequestHandlerChain;
import org.pytorch.serve.http.ServiceUnavailableException;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.wlm.WorkerInitializationException;
import vertextorchserve.http.ErrorAnswer;
import vertextorchserve.queue.Models;
import vertextorchserve.ready.Readiness;

/**
 * Passes on the requests that a model could answer. The others get 400, 405, or 503 with the reason: no
 * worker has loaded the model, or the queue is full.
 *
 * <p>TorchServe accepts GET for a prediction, lets requests wait for a model that may never load, and says
 * "no worker" when the queue is full.
 *
 * <p>TorchServe calls it in the thread of its connection, or in one for forms; it changes nothing of its own.
 */
public final class Admission extends HttpRequestHandlerChain {
    private static final Set<String> PREDICTION_ROUTES =
            Set.of("predictions", "explanations", "invocations", "models", "v1");
    // PUT is what `curl -T` sends, in TorchServe's own examples; OPTIONS describes the model's API.
    private static final Set<String> PREDICTION_METHODS = Set.of("POST", "PUT", "OPTIONS");

    private final Duration loadRetry;

    /**
     * One of a connection's handlers that look at a request's route.
     *
     * @param loadRetry how long a client should wait while no worker has loaded the model, in whole seconds.
     */
    public Admission(Duration loadRetry) {
        this.loadRetry = loadRetry;
    }

    @Override
    public void handleRequest(ChannelHandlerContext context, FullHttpRequest request,
            QueryStringDecoder decoder, String[] segments)
            throws ModelException, DownloadArchiveException, WorkflowException,
                   WorkerInitializationException {
        String route = segments.length > 1 ? segments[1] : "";
        // TorchServe has a prediction route that ends in a known word: /<model>/predict
        boolean prediction = PREDICTION_ROUTES.contains(route)
                || segments.length > 2 && segments[segments.length - 1].equals("predict");
        String method = request.method().name();
        if (route.equals("ping") && !method.equals("GET")) {
            ErrorAnswer.sendOtherMethod(context, request.method(), "GET");
        } else if (!prediction) {
            chain.handleRequest(context, request, decoder, segments);
        } else if (!PREDICTION_METHODS.contains(method)) {
            ErrorAnswer.sendOtherMethod(context, request.method(), "POST, PUT, OPTIONS");
        } else if (Models.registered().stream().allMatch(model -> Models.loadedWorkers(model) == 0)) {
            String reason = Readiness.modelsObstacle().orElse("a worker has just loaded the model");
            ErrorAnswer.sendLater(context, "not ready: " + reason, (int) loadRetry.toSeconds());
        } else {
            try {
                chain.handleRequest(context, request, decoder, segments);
            } catch (ServiceUnavailableException queueFull) {
                String sequence =
                        request.headers().get(ConfigManager.getInstance().getTsHeaderKeySequenceId());
                Models.fullSequences(sequence).ifPresentOrElse(full
                        -> ErrorAnswer.sendLater(context, full, (int) loadRetry.toSeconds()),
                        () -> ErrorAnswer.sendBusy(context, Models.waitingRequests() + " requests"));
            } catch (ErrorDataDecoderException | IndexOutOfBoundsException notAForm) {
                // The latter for a part that has a parameter without a value.
                ErrorAnswer.send(context, HttpResponseStatus.BAD_REQUEST,
                        "the body is not a form of the type that its Content-Type names");
            }
        }
    }
}
