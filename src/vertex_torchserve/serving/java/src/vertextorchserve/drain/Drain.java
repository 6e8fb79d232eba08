package vertextorchserve.drain;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What SIGTERM starts: {@code /ping} turns 503, the ports close after a delay, every request that was
 * accepted gets its answer, and only then does TorchServe stop. The JVM's shutdown hook runs it once, in a
 * thread of its own.
 */
public final class Drain implements Runnable {
    /** Many times what a client needs to send its next request on a connection that is open. */
    private static final Duration SILENCE = Duration.ofMillis(500);

    private static final int POLL_MILLIS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

    private final DrainedServer server;
    private final Traffic traffic;
    private final Duration delay;
    private final Duration limit;

    /**
     * Changes nothing until it is run.
     *
     * @param server what to stop.
     * @param traffic the server's unanswered requests.
     * @param delay how long new connections are still accepted, for a load balancer to see the 503 first.
     * @param limit how long the requests may take to be answered after that.
     */
    public Drain(DrainedServer server, Traffic traffic, Duration delay, Duration limit) {
        this.server = server;
        this.traffic = traffic;
        this.delay = delay;
        this.limit = limit;
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
            // The workers of a server that had not started yet, and processes that a model's handler has
            // started.
            ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
        }
    }

    private void drain() throws InterruptedException {
        traffic.startDraining();
        LOG.info("Draining: {} requests to answer", traffic.unanswered());
        Thread.sleep(delay.toMillis());
        server.stopListening();
        traffic.listeningStopped();
        long deadline = System.nanoTime() + limit.toNanos();
        while (!traffic.isQuiet(SILENCE) && System.nanoTime() < deadline) {
            Thread.sleep(POLL_MILLIS);
        }
        int unanswered = traffic.unanswered();
        if (unanswered > 0) {
            LOG.error("Stopping with {} requests unanswered after {} s; vts.drain.limit.seconds gives more",
                    unanswered, limit.toSeconds());
        }
    }
}
