package vertextorchserve;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What SIGTERM starts: {@code /ping} turns 503, after a delay the ports close, every request that was
 * accepted gets its answer, and only then does TorchServe stop.
 */
final class Drain implements Runnable {

    /** Many times what a client needs to send its next request on a connection that is open. */
    private static final Duration SILENCE = Duration.ofMillis(500);

    private static final int POLL_MILLIS = 10;

    private final Logger log = LoggerFactory.getLogger(Drain.class);
    private final WatchedModelServer server;
    private final Traffic traffic;
    private final Settings settings;

    Drain(WatchedModelServer server, Traffic traffic, Settings settings) {
        this.server = server;
        this.traffic = traffic;
        this.settings = settings;
    }

    @Override
    public void run() {
        try {
            if (server.isStarted()) {
                drain();
                server.stop();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            // Workers of a server that had not started yet, and what a handler started itself.
            ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
        }
    }

    private void drain() throws InterruptedException {
        traffic.startDraining();
        log.info("Draining: {} requests to answer", traffic.unanswered());
        Thread.sleep(settings.drainDelay().toMillis());
        server.stopListening();
        traffic.listeningStopped();
        long deadline = System.nanoTime() + settings.drainLimit().toNanos();
        while (!traffic.isQuiet(SILENCE) && System.nanoTime() < deadline) {
            Thread.sleep(POLL_MILLIS);
        }
        int unanswered = traffic.unanswered();
        if (unanswered > 0) {
            log.error(
                    "Stopping with {} requests unanswered after {} s; vts.drain.limit.seconds gives more",
                    unanswered,
                    settings.drainLimit().toSeconds());
        }
    }
}
