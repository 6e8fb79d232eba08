package vertextorchserve.http;

import java.io.IOException;
import org.pytorch.serve.servingsdk.Context;
import org.pytorch.serve.servingsdk.ModelServerEndpoint;
import org.pytorch.serve.servingsdk.http.Request;
import org.pytorch.serve.servingsdk.http.Response;

/**
 * A route that answers 405 to every method, but for those that a subclass overrides.
 *
 * <p>TorchServe calls it in the netty thread of the request's connection.
 */
public class RefusedEndpoint extends ModelServerEndpoint {
    @Override
    public void doGet(Request request, Response response, Context context) throws IOException {
        response.setStatus(405);
    }

    @Override
    public void doPost(Request request, Response response, Context context) {
        response.setStatus(405);
    }

    @Override
    public void doPut(Request request, Response response, Context context) {
        response.setStatus(405);
    }

    @Override
    public void doDelete(Request request, Response response, Context context) {
        response.setStatus(405);
    }
}
