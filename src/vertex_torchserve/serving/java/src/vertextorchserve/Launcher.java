package vertextorchserve;

import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.Slf4JLoggerFactory;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.ParseException;
import org.pytorch.serve.metrics.MetricCache;
import org.pytorch.serve.metrics.MetricManager;
import org.pytorch.serve.servingsdk.impl.PluginsManager;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.TokenAuthorization;

/**
 * Starts TorchServe 0.12 in place of {@code org.pytorch.serve.ModelServer}: the same arguments and
 * configuration, no gRPC, a {@code /ping} that tells the truth and a SIGTERM that loses no request.
 *
 * <p>System properties: see {@link Settings}. Exit code 143 after SIGTERM, 1 when it could not start.
 */
public final class Launcher {

    private Launcher() {}

    public static void main(String[] args) {
        // log4j's own shutdown hook would silence the log while the drain still has something to say.
        System.setProperty("log4j.shutdownHookEnabled", "false");
        try {
            start(args);
        } catch (ParseException | IllegalArgumentException e) {
            System.out.println("Invalid configuration: " + e.getMessage());
            System.exit(1);
        } catch (Throwable t) {
            // Whatever it is, threads of a half-started server would keep the JVM up for ever.
            t.printStackTrace();
            System.exit(1);
        }
    }

    private static void start(String[] args) throws Exception {
        Settings settings = Settings.fromSystemProperties();
        CommandLine line =
                new DefaultParser().parse(ConfigManager.Arguments.getOptions(), args, null, false);
        ConfigManager.init(new ConfigManager.Arguments(line));
        ConfigManager config = ConfigManager.getInstance();
        TokenAuthorization.init();
        PluginsManager.getInstance().initialize();
        MetricCache.init();
        InternalLoggerFactory.setDefaultFactory(Slf4JLoggerFactory.INSTANCE);

        Traffic traffic = new Traffic();
        // TorchServe asks these before its own routes, by the first part of the path.
        PluginsManager.getInstance()
                .getInferenceEndpoints()
                .put("ping", new PingEndpoint(new Readiness(traffic, settings.readyFile())));
        // Registering a workflow loads an archive from anywhere, whatever enable_model_api says.
        PluginsManager.getInstance()
                .getManagementEndpoints()
                .put("workflows", new RefusedEndpoint());

        WatchedModelServer server = new WatchedModelServer(config, traffic, settings);
        Runtime.getRuntime().addShutdownHook(new Thread(new Drain(server, traffic, settings), "drain"));
        server.start();
        if (!config.isSystemMetricsDisabled()) {
            MetricManager.scheduleMetrics(config);
        }
        System.out.println("Model server started.");
    }
}
