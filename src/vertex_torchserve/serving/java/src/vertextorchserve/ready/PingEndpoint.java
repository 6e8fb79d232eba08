package vertextorchserve.ready;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.pytorch.serve.servingsdk.Context;
import org.pytorch.serve.servingsdk.http.Request;
import org.pytorch.serve.servingsdk.http.Response;
import org.pytorch.serve.util.JsonUtils;
import vertextorchserve.http.RefusedEndpoint;

/**
 * {@code GET /ping}: 200 {@code {"status": "Healthy"}} when requests would be answered, else 503 with
 * {@code {"status": "Unhealthy", "reason": ...}}.
 *
 * <p>TorchServe calls it in the netty thread of the request's connection.
 */
public final class PingEndpoint extends RefusedEndpoint {
    private final Readiness readiness;

    /**
     * The endpoint for TorchServe's table.
     *
     * @param readiness asked at every request.
     */
    public PingEndpoint(Readiness readiness) {
        this.readiness = readiness;
    }

    @Override
    @SuppressWarnings("resource") // the stream is the response's, which TorchServe sends
    public void doGet(Request request, Response response, Context context) throws IOException {
        Optional<String> obstacle = readiness.obstacle();
        Map<String, String> body = new LinkedHashMap<>();
        body.put("status", obstacle.isEmpty() ? "Healthy" : "Unhealthy");
        obstacle.ifPresent(reason -> body.put("reason", reason));
        response.setStatus(obstacle.isEmpty() ? 200 : 503);
        response.setContentType("application/json");
        String text = JsonUtils.GSON_PRETTY.toJson(body) + "\n";
        response.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }
}
