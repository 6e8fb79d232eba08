package vertextorchserve.api;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import org.pytorch.serve.servingsdk.Context;
import org.pytorch.serve.servingsdk.http.Request;
import org.pytorch.serve.servingsdk.http.Response;
import vertextorchserve.http.RefusedEndpoint;

/**
 * {@code GET /metrics} on the port of predictions, where it is asked for: what TorchServe shows on a port of
 * the loopback.
 *
 * <p>TorchServe calls it in a thread of its own.
 */
public final class MetricsEndpoint extends RefusedEndpoint {
    @Override
    public void doGet(Request request, Response response, Context context) throws IOException {
        response.setStatus(200);
        response.setContentType(TextFormat.CONTENT_TYPE_004);
        Writer writer = new OutputStreamWriter(response.getOutputStream(), StandardCharsets.UTF_8);
        TextFormat.write004(writer, CollectorRegistry.defaultRegistry.metricFamilySamples());
        writer.flush();
    }
}
