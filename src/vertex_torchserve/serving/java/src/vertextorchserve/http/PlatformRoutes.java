package vertextorchserve.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpRequest;
import java.util.Map;

/**
 * Lets the platform's own routes lead where TorchServe serves them: Vertex AI asks a container for whatever
 * {@code AIP_PREDICT_ROUTE} and {@code AIP_HEALTH_ROUTE} say.
 *
 * <p>One for each connection; netty calls it in the connection's thread.
 */
public final class PlatformRoutes extends ChannelInboundHandlerAdapter {
    private final Map<String, String> served;

    /**
     * Changes the path of each request that asks for one of these.
     *
     * @param served the path that TorchServe serves, by the one that the platform asks for.
     */
    public PlatformRoutes(Map<String, String> served) {
        this.served = served;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        if (message instanceof HttpRequest request) {
            String uri = request.uri();
            int query = uri.indexOf('?');
            String path = query < 0 ? uri : uri.substring(0, query);
            String target = served.get(path);
            if (target != null) {
                request.setUri(target + uri.substring(path.length()));
            }
        }
        super.channelRead(context, message);
    }
}
