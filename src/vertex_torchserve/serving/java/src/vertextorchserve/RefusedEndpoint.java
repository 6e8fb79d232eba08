package vertextorchserve;

import org.pytorch.serve.servingsdk.Context;
import org.pytorch.serve.servingsdk.ModelServerEndpoint;
import org.pytorch.serve.servingsdk.http.Request;
import org.pytorch.serve.servingsdk.http.Response;

/** A route that is switched off: 405, whatever the method. */
final class RefusedEndpoint extends ModelServerEndpoint {

    @Override
    public void doGet(Request request, Response response, Context context) {
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
