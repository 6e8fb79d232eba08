package vertextorchserve.drain;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The unanswered requests of all connections to the inference port, and when something happened there last.
 *
 * <p>One for the server: netty's threads write to it through {@link RequestWatch}, the drain's thread reads
 * it.
 */
public final class Traffic {
    private final AtomicInteger unanswered = new AtomicInteger();
    private volatile long lastEvent = System.nanoTime();
    private volatile boolean draining;

    /** A connection was accepted: a request is about to arrive on it. */
    void connectionOpened() {
        lastEvent = System.nanoTime();
    }

    void requestBegan() {
        unanswered.incrementAndGet();
    }

    void requestAnswered() {
        lastEvent = System.nanoTime();
        unanswered.decrementAndGet();
    }

    /** The client closed the connection before so many of its requests were answered. */
    void requestsAbandoned(int count) {
        unanswered.addAndGet(-count);
    }

    /** From now on {@code /ping} is 503 and each connection is closed with its last answer. */
    void startDraining() {
        draining = true;
    }

    /**
     * Tells whether SIGTERM has come.
     *
     * @return true from then on.
     */
    public boolean isDraining() {
        return draining;
    }

    /** The ports are closed: connections that were accepted last may not have reached their handlers yet. */
    void listeningStopped() {
        lastEvent = System.nanoTime();
    }

    int unanswered() {
        return unanswered.get();
    }

    /**
     * Whether every request has its answer and nothing has happened for so long that none of the open
     * connections is about to bring another request.
     */
    boolean isQuiet(Duration silence) {
        return unanswered.get() == 0 && System.nanoTime() - lastEvent >= silence.toNanos();
    }
}
