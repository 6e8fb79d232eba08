package vertextorchserve.api;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.pytorch.serve.archive.DownloadArchiveException;
import org.pytorch.serve.archive.model.ModelException;
import org.pytorch.serve.archive.model.ModelNotFoundException;
import org.pytorch.serve.archive.workflow.WorkflowException;
import org.pytorch.serve.http.HttpRequestHandlerChain;
import org.pytorch.serve.http.MethodNotAllowedException;
import org.pytorch.serve.wlm.WorkerInitializationException;
import vertextorchserve.http.ErrorAnswer;
import vertextorchserve.queue.Models;

/**
 * {@code OPTIONS /predictions/<model>}, {@code OPTIONS /} and {@code /api-description}: what is served, as
 * OpenAPI has it. TorchServe's own description has routes that are closed here, and none of the model's
 * schemas.
 *
 * <p>The document is written by the Python that starts the JVM, once the model is ready
 * (api_description.py).
 *
 * <p>TorchServe calls it in the thread of its connection; it changes nothing of its own.
 */
public final class ApiDescription extends HttpRequestHandlerChain {
    private static final Set<String> DESCRIBED = Set.of("", "predictions", "api-description");

    private final Path file;
    private final Duration retry;

    /**
     * One of a connection's handlers that look at a request's route.
     *
     * @param file the document.
     * @param retry how long a client should wait while there is none, in whole seconds.
     */
    public ApiDescription(Path file, Duration retry) {
        this.file = file;
        this.retry = retry;
    }

    @Override
    public void handleRequest(ChannelHandlerContext context, FullHttpRequest request,
            QueryStringDecoder decoder, String[] segments)
            throws ModelException, DownloadArchiveException, WorkflowException,
                   WorkerInitializationException {
        String route = segments.length > 1 ? segments[1] : "";
        boolean named = route.equals("api-description") && request.method().equals(HttpMethod.GET);
        if (!named && !(request.method().equals(HttpMethod.OPTIONS) && DESCRIBED.contains(route))) {
            if (segments.length == 0) { // "/", for which TorchServe's other handlers are not made
                throw new MethodNotAllowedException();
            }
            chain.handleRequest(context, request, decoder, segments);
            return;
        }
        if (segments.length > 2 && route.equals("predictions")
                && Models.registered().stream().noneMatch(m -> m.getModelName().equals(segments[2]))) {
            throw new ModelNotFoundException("Model not found: " + segments[2]);
        }
        try {
            JsonAnswer.send(context, HttpResponseStatus.OK, Files.readAllBytes(file));
        } catch (IOException notWritten) {
            ErrorAnswer.sendLater(
                    context, "not ready: the model has not passed its check yet", (int) retry.toSeconds());
        }
    }
}
