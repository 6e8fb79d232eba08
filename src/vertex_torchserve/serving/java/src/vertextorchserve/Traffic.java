package vertextorchserve;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** What is going on at the inference port: the requests without their answer, and the last sign of life. */
final class Traffic {

    private final AtomicInteger unanswered = new AtomicInteger();
    private volatile long lastSign = System.nanoTime();
    private volatile boolean draining;

    /** A connection that was just accepted is about to bring a request. */
    void connectionOpened() {
        lastSign = System.nanoTime();
    }

    void requestBegan() {
        unanswered.incrementAndGet();
    }

    void requestAnswered() {
        lastSign = System.nanoTime();
        unanswered.decrementAndGet();
    }

    /** The client went away without waiting for the answers to this many requests. */
    void requestsAbandoned(int count) {
        unanswered.addAndGet(-count);
    }

    /** From now on {@code /ping} is 503 and every answer ends its connection. */
    void startDraining() {
        draining = true;
    }

    boolean isDraining() {
        return draining;
    }

    /** Connections the kernel had accepted may still be on their way to their handler. */
    void listeningStopped() {
        lastSign = System.nanoTime();
    }

    int unanswered() {
        return unanswered.get();
    }

    /**
     * Whether every request has its answer and nothing has happened for a while, so that no connection
     * that is still open is about to bring another one.
     */
    boolean isQuiet(Duration silence) {
        return unanswered.get() == 0 && System.nanoTime() - lastSign >= silence.toNanos();
    }
}
