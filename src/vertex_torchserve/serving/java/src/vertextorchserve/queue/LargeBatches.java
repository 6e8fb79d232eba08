package vertextorchserve.queue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Which workers run batches of large requests, and whether another one may begin.
 *
 * <p>A worker answers its batch as a whole, so a small request that comes while every worker runs a large one
 * waits for all of that. While there are small requests, the last worker is therefore kept for them. It isn't
 * where large batches take no longer than small ones, nor where no small request came lately; and a large
 * request waits for this at most so long.
 *
 * <p>Not for several threads at once: the queue calls it under its lock.
 */
final class LargeBatches {
    /** How long after the last batch of small requests a worker is kept for the next. */
    static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The longest that a large request waits while a worker is kept for small ones. */
    static final long MOST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How many times as long as a small batch a large one must take for a worker to be kept. */
    static final int LEAST_TIMES = 3;

    /** How much of the mean is the newest batch's time. */
    private static final double NEWEST_SHARE = 0.2;

    private record Batch(boolean large, long began) {}

    private final Set<Thread> workers = new HashSet<>();
    private final Map<Thread, Batch> running = new HashMap<>();

    /** Nanoseconds that a batch takes, small and large; 0 until one has ended. */
    private final double[] means = new double[2];

    private boolean anySmall;
    private long lastSmall;

    /** A worker has nothing to do; what it did before has ended. */
    void idle(Thread worker, long now) {
        workers.add(worker);
        Batch batch = running.remove(worker);
        if (batch != null) {
            if (!batch.large) {
                anySmall = true;
                lastSmall = batch.began;
            }
            int kind = batch.large ? 1 : 0;
            double taken = now - batch.began;
            means[kind] = means[kind] == 0 ? taken : means[kind] + NEWEST_SHARE * (taken - means[kind]);
        }
    }

    /** A worker has the first request of a batch. */
    void began(Thread worker, boolean large, long now) {
        running.put(worker, new Batch(large, now));
    }

    /** What a worker has is no batch: its requests were only looked at. */
    void noBatch(Thread worker) {
        running.remove(worker);
    }

    /** The requests of a worker's batch take long, as large ones do. */
    void isCostly(Thread worker) {
        running.computeIfPresent(worker, (same, batch) -> new Batch(true, batch.began));
    }

    /** Whether a small request came lately, so that others may follow. */
    boolean smallCome(long now) {
        return anySmall && now - lastSmall <= KEPT_NANOS;
    }

    /**
     * The mean time of a batch that begins; 0 until one of its kind has ended. Where no small ones come, one
     * that looks small turns out to be like the large ones.
     */
    double meanNanos(boolean large, long now) {
        boolean likeLarge = large || !smallCome(now) && means[1] > 0;
        return means[likeLarge ? 1 : 0];
    }

    /** A worker has died, and what it was about to run is no batch. */
    void died(Thread worker) {
        workers.remove(worker);
        running.remove(worker);
    }

    /**
     * Whether a large request may begin a batch.
     *
     * @param came when the request came, as {@code System.nanoTime()}
     * @param costly whether its handler has said that it takes long; by its size alone it may not.
     */
    boolean mayBegin(long came, long now, boolean costly) {
        if (!smallCome(now) || now - came > MOST_WAIT_NANOS) {
            return true;
        }
        if (!costly && (means[0] == 0 || means[1] < LEAST_TIMES * means[0])) {
            return true;
        }
        workers.removeIf(worker -> !worker.isAlive());
        running.keySet().retainAll(workers);
        long large = running.values().stream().filter(Batch::large).count();
        return workers.size() < 2 || large < workers.size() - 1;
    }
}
