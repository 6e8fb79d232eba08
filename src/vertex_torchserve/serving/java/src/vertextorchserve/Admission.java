package vertextorchserve;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.Map;
import java.util.Set;
import org.pytorch.serve.archive.DownloadArchiveException;
import org.pytorch.serve.archive.model.ModelException;
import org.pytorch.serve.archive.workflow.WorkflowException;
import org.pytorch.serve.http.HttpRequestHandlerChain;
import org.pytorch.serve.http.ServiceUnavailableException;
import org.pytorch.serve.wlm.WorkerInitializationException;

/**
 * Lets those requests through to a model that it could answer: others get 405, or 503 with the reason.
 *
 * <p>TorchServe takes GET for a prediction too, lets requests wait for a model that may never load, and
 * says "no worker" when the queue is full.
 */
final class Admission extends HttpRequestHandlerChain {

    // A load takes seconds (as early_listener.py says), a place in the queue is free after any batch.
    private static final int LOAD_SECONDS = 5;
    private static final int QUEUE_SECONDS = 1;

    private static final Set<String> PREDICTION_ROUTES =
            Set.of("predictions", "explanations", "invocations", "models", "v1", "v2");
    // PUT is what `curl -T` sends, in TorchServe's own examples; OPTIONS describes the model's API.
    private static final Set<String> PREDICTION_METHODS = Set.of("POST", "PUT", "OPTIONS");

    @Override
    public void handleRequest(
            ChannelHandlerContext context,
            FullHttpRequest request,
            QueryStringDecoder decoder,
            String[] segments)
            throws ModelException, DownloadArchiveException, WorkflowException,
                    WorkerInitializationException {
        String route = segments.length > 1 ? segments[1] : "";
        // The last is a route of TorchServe's too: /<model>/predict
        boolean prediction =
                PREDICTION_ROUTES.contains(route)
                        || segments.length > 2 && segments[segments.length - 1].equals("predict");
        String method = request.method().name();
        if (route.equals("ping") && !method.equals("GET")) {
            refuseMethod(context, method, "GET");
        } else if (!prediction) {
            chain.handleRequest(context, request, decoder, segments);
        } else if (!PREDICTION_METHODS.contains(method)) {
            refuseMethod(context, method, "POST, PUT, OPTIONS");
        } else if (Models.registered().stream().allMatch(model -> Models.loadedWorkers(model) == 0)) {
            String reason = Readiness.modelsObstacle().orElse("a worker has just loaded the model");
            ErrorAnswer.sendLater(context, "not ready: " + reason, LOAD_SECONDS);
        } else {
            try {
                chain.handleRequest(context, request, decoder, segments);
            } catch (ServiceUnavailableException queueFull) {
                String waiting = Models.waitingRequests() + " requests are waiting, the most that may";
                ErrorAnswer.sendLater(context, waiting + "; send this one again later", QUEUE_SECONDS);
            }
        }
    }

    private static void refuseMethod(ChannelHandlerContext context, String method, String allowed) {
        ErrorAnswer.send(
                context,
                HttpResponseStatus.METHOD_NOT_ALLOWED,
                method + " is not accepted here, only " + allowed,
                Map.of(HttpHeaderNames.ALLOW, allowed));
    }
}
