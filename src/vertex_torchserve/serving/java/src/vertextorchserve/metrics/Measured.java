package vertextorchserve.metrics;

import io.prometheus.client.Histogram;
import java.time.Duration;

/**
 * The histograms of requests and batches, in Prometheus' default registry, which TorchServe's port of metrics
 * shows. All methods may be called from any thread.
 */
public final class Measured {
    private static final Histogram REQUESTS =
            Histogram.build()
                    .name("vts_request_duration_seconds")
                    .help("From the first line of a request to the last byte of its answer, by the status of "
                            + "the answer; closed: the connection ended before. Without GET and OPTIONS.")
                    .labelNames("status")
                    .buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
                    .register();
    private static final Histogram BATCHES = Histogram.build()
                                                     .name("vts_batch_requests")
                                                     .help("How many requests a worker was given at a time.")
                                                     .buckets(1, 2, 4, 8, 16, 32, 64, 128)
                                                     .register();
    private static final Histogram WAITS =
            Histogram.build()
                    .name("vts_queue_wait_seconds")
                    .help("How long a request waited until a worker took it.")
                    .buckets(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300)
                    .register();

    private Measured() {}

    /**
     * Counts an answer.
     *
     * @param status of HTTP, or {@code closed} where the connection ended before the answer did.
     * @param took from the request's first line to the last byte of its answer.
     */
    public static void answered(String status, Duration took) {
        REQUESTS.labels(status).observe(seconds(took));
    }

    /**
     * Counts a batch that a worker was given.
     *
     * @param requests how many are in it.
     */
    public static void batched(int requests) {
        BATCHES.observe(requests);
    }

    /**
     * Counts a request that a worker took.
     *
     * @param waited since it came into the queue.
     */
    public static void taken(Duration waited) {
        WAITS.observe(seconds(waited));
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
