package vertextorchserve;

import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.Slf4JLoggerFactory;
import java.util.Map;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.ParseException;
import org.pytorch.serve.metrics.MetricCache;
import org.pytorch.serve.metrics.MetricManager;
import org.pytorch.serve.servingsdk.ModelServerEndpoint;
import org.pytorch.serve.servingsdk.impl.PluginsManager;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.TokenAuthorization;
import vertextorchserve.api.MetricsEndpoint;
import vertextorchserve.drain.Drain;
import vertextorchserve.drain.Traffic;
import vertextorchserve.http.RefusedEndpoint;
import vertextorchserve.ready.PingEndpoint;
import vertextorchserve.ready.Readiness;
import vertextorchserve.ready.StateMetrics;

/**
 * The main class. Starts TorchServe 0.12 in place of {@code org.pytorch.serve.ModelServer}, with the same
 * arguments and configuration, but without gRPC, with a {@code /ping} that is 200 only when requests would be
 * answered, and with a drain on SIGTERM.
 *
 * <p>System properties: see {@link Settings}. Exit code 143 after SIGTERM, 1 when it could not start.
 */
public final class Launcher {
    private Launcher() {}

    /**
     * Called by the JVM.
     *
     * @param args the arguments of TorchServe's own main class.
     */
    public static void main(String[] args) {
        // log4j's own shutdown hook runs beside the drain, and would close the log before the drain has
        // ended.
        System.setProperty("log4j.shutdownHookEnabled", "false");
        try {
            start(args);
        } catch (ParseException | IllegalArgumentException e) {
            System.out.println("Invalid configuration: " + e.getMessage());
            System.exit(1);
        } catch (Throwable t) {
            // Without this exit the threads of the half-started server would keep the JVM running.
            t.printStackTrace();
            System.exit(1);
        }
    }

    private static void start(String[] args) throws Exception {
        Settings settings = Settings.fromSystemProperties();
        CommandLine line = new DefaultParser().parse(ConfigManager.Arguments.getOptions(), args, null, false);
        ConfigManager.init(new ConfigManager.Arguments(line));
        ConfigManager config = ConfigManager.getInstance();
        TokenAuthorization.init();
        PluginsManager.getInstance().initialize();
        MetricCache.init();
        InternalLoggerFactory.setDefaultFactory(Slf4JLoggerFactory.INSTANCE);

        Traffic traffic = new Traffic();
        // TorchServe looks in these tables before it tries its own routes; the key is the first part of the
        // path.
        Readiness readiness = new Readiness(traffic, settings.readyFile());
        Map<String, ModelServerEndpoint> inference = PluginsManager.getInstance().getInferenceEndpoints();
        inference.put("ping", new PingEndpoint(readiness));
        if (settings.publicMetrics()) {
            inference.put("metrics", new MetricsEndpoint());
        }
        new StateMetrics(readiness).register();
        // Registering a workflow would load an archive from any address, even with enable_model_api=false.
        PluginsManager.getInstance().getManagementEndpoints().put("workflows", new RefusedEndpoint());

        WatchedModelServer server = new WatchedModelServer(config, traffic, settings);
        Drain drain = new Drain(server, traffic, settings.drainDelay(), settings.drainLimit());
        Runtime.getRuntime().addShutdownHook(new Thread(drain, "drain"));
        server.start();
        if (!config.isSystemMetricsDisabled()) {
            MetricManager.scheduleMetrics(config);
        }
        System.out.println("Model server started.");
    }
}
