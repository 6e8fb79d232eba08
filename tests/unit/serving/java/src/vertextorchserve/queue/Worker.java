package vertextorchserve.queue;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.wlm.Model;

/** A thread that asks for one batch, as the thread of one of TorchServe's workers does. */
final class Worker {
    private static final long DEADLINE_MILLIS = 60_000;

    private final Map<String, Job> jobs = new LinkedHashMap<>();
    private final Thread thread;
    private volatile boolean interrupted;

    private Worker(Model model) {
        thread = new Thread(() -> {
            try {
                model.pollBatch("worker", 1, jobs);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        });
        thread.start();
    }

    /** A worker that has asked for a batch. */
    static Worker asking(Model model) {
        return new Worker(model);
    }

    /** A worker that waits for the first request of a batch. */
    static Worker idle(Model model) throws InterruptedException {
        Worker worker = new Worker(model);
        worker.untilItWaitsForFirst();
        return worker;
    }

    /** Its thread waits without a time-out then. */
    void untilItWaitsForFirst() throws InterruptedException {
        until(() -> thread.getState() == Thread.State.WAITING);
    }

    /** Its thread waits with a time-out then. */
    void untilItWaitsForMore() throws InterruptedException {
        until(() -> thread.getState() == Thread.State.TIMED_WAITING);
    }

    /** How often its thread has waited so far: one more each time that it was woken and waits again. */
    long waits() {
        return ManagementFactory.getThreadMXBean().getThreadInfo(thread.getId()).getWaitedCount();
    }

    /** The ids of the requests it got, in their order. */
    List<String> batch() throws InterruptedException {
        thread.join(DEADLINE_MILLIS);
        assertTrue(!thread.isAlive(), "the worker still waits");
        assertTrue(!interrupted, "the worker has died");
        return List.copyOf(jobs.keySet());
    }

    /** TorchServe interrupts the thread of a worker whose process has ended. */
    void die() throws InterruptedException {
        thread.interrupt();
        thread.join(DEADLINE_MILLIS);
        assertTrue(interrupted, "the worker got a batch");
    }

    /** Waits for something that another thread does. */
    static void until(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + DEADLINE_MILLIS * 1_000_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                fail("waited too long");
            }
            Thread.sleep(1);
        }
    }
}
