package vertextorchserve.api;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pytorch.serve.archive.DownloadArchiveException;
import org.pytorch.serve.archive.model.ModelException;
import org.pytorch.serve.archive.workflow.WorkflowException;
import org.pytorch.serve.http.HttpRequestHandlerChain;
import org.pytorch.serve.util.JsonUtils;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.WorkerInitializationException;
import vertextorchserve.http.ErrorAnswer;
import vertextorchserve.queue.Models;
import vertextorchserve.ready.Readiness;

/**
 * What KServe's first protocol asks beside predictions: {@code GET /v1/models} names the models, {@code GET
 * /v1/models/<model>} says whether one is ready, with the status of {@code /ping}. Its predictions, {@code
 * /v1/models/<model>:predict}, are TorchServe's own route.
 *
 * <p>The paths of its second protocol, of tensors, get 404: TorchServe has routes for its predictions, but
 * hands their bodies to the model as they are (docs/decisions/0035).
 *
 * <p>TorchServe calls it in the thread of its connection, or in one for forms; it changes nothing of its own.
 */
public final class KServeModels extends HttpRequestHandlerChain {
    private static final String MODELS = "models";

    private final Readiness readiness;

    /**
     * The first of a connection's handlers that look at a request's route.
     *
     * @param readiness asked at every request.
     */
    public KServeModels(Readiness readiness) {
        this.readiness = readiness;
    }

    @Override
    public void handleRequest(ChannelHandlerContext context, FullHttpRequest request,
            QueryStringDecoder decoder, String[] segments)
            throws ModelException, DownloadArchiveException, WorkflowException,
                   WorkerInitializationException {
        if (isSecondProtocol(segments)) {
            ErrorAnswer.send(context, HttpResponseStatus.NOT_FOUND,
                    "the open inference protocol (v2) is not served; send {\"instances\": [...]} to "
                            + "/v1/models/<model>:predict or /predictions/<model>");
        } else if (!asksForModels(segments)) {
            chain.handleRequest(context, request, decoder, segments);
        } else if (!request.method().equals(HttpMethod.GET)) {
            ErrorAnswer.sendOtherMethod(context, request.method(), HttpMethod.GET.name());
        } else if (segments.length == 3) {
            send(context, HttpResponseStatus.OK, Map.of(MODELS, names()));
        } else if (names().contains(segments[3])) {
            sendState(context, segments[3]);
        } else {
            ErrorAnswer.send(context, HttpResponseStatus.NOT_FOUND,
                    "there is no model of this name; served: " + String.join(", ", names()));
        }
    }

    /** A model may be called v2, too: TorchServe predicts with it at {@code /v2/predict}. */
    private static boolean isSecondProtocol(String[] segments) {
        return segments.length > 1 && segments[1].equals("v2")
                && !segments[segments.length - 1].equals("predict");
    }

    private static boolean asksForModels(String[] segments) {
        return segments.length > 2 && segments.length < 5 && segments[1].equals("v1")
                && segments[2].equals(MODELS) && (segments.length == 3 || segments[3].indexOf(':') < 0);
    }

    private static List<String> names() {
        return Models.registered().stream().map(Model::getModelName).distinct().toList();
    }

    private void sendState(ChannelHandlerContext context, String model) {
        Optional<String> obstacle = readiness.obstacle();
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("name", model);
        state.put("ready", obstacle.isEmpty());
        obstacle.ifPresent(reason -> state.put("reason", reason));
        send(context, obstacle.isEmpty() ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE,
                state);
    }

    private static void send(ChannelHandlerContext context, HttpResponseStatus status, Map<String, ?> body) {
        String json = JsonUtils.GSON.toJson(body) + "\n";
        JsonAnswer.send(context, status, json.getBytes(StandardCharsets.UTF_8));
    }
}
