package vertextorchserve;

import java.net.HttpURLConnection;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.pytorch.serve.job.Job;

/**
 * The requests of a model that wait for a worker. Of several idle workers, the one that was busy last makes up
 * the next batch, and it waits for more requests only while no other worker is idle.
 *
 * <p>TorchServe 0.12 lets its workers take turns, so that each request finds the one that has been idle the
 * longest, and lets each batch wait for more, also where another worker could take them. What its
 * {@code Model.pollBatch} asks for is answered here: a first request with the longest time-out, the rest of a
 * batch with that of the batch. The lock it holds meanwhile is {@link #batch()}.
 */
final class JobQueue extends LinkedBlockingDeque<Job> {

    private static final long serialVersionUID = 1L;

    private final transient ReentrantLock turns = new ReentrantLock();
    private final transient Condition changed = turns.newCondition();
    /** Workers with nothing to do; the one that was busy last comes first. */
    private final transient Deque<Thread> idle = new ArrayDeque<>();
    /** The worker that makes up a batch; null when none does. */
    private transient volatile Thread collecting;
    /** What that worker has taken so far, the last first; nobody else looks at it. */
    private final transient Deque<Job> collected = new ArrayDeque<>();

    JobQueue(int capacity) {
        super(capacity);
    }

    @Override
    public boolean offerFirst(Job job) {
        return wokenBy(super.offerFirst(job));
    }

    @Override
    public boolean offerLast(Job job) {
        return wokenBy(super.offerLast(job));
    }

    @Override
    public Job poll(long timeout, TimeUnit unit) throws InterruptedException {
        boolean first = timeout == Long.MAX_VALUE;
        try {
            turns.lockInterruptibly();
            try {
                Job job = first ? firstOfBatch() : nextOfBatch(unit.toNanos(timeout));
                if (job != null) {
                    collected.addFirst(job);
                }
                return job;
            } finally {
                turns.unlock();
            }
        } catch (InterruptedException e) {
            if (!first) {
                putBack();
            }
            throw e;
        }
    }

    /** What stands in for the lock of TorchServe's model: whoever makes up a batch holds it. */
    ReentrantLock batch() {
        return new Batch();
    }

    private Job firstOfBatch() throws InterruptedException {
        Thread worker = Thread.currentThread();
        idle.push(worker);
        try {
            while (true) {
                Job job = collecting == null && idle.peek() == worker ? poll() : null;
                if (job != null) {
                    collecting = worker;
                    return job;
                }
                changed.await();
            }
        } finally {
            idle.remove(worker);
            changed.signalAll(); // another is the first of the idle ones now
        }
    }

    private Job nextOfBatch(long nanoseconds) throws InterruptedException {
        long left = nanoseconds;
        while (true) {
            Job job = poll();
            if (job != null || left <= 0 || !idle.isEmpty()) {
                return job;
            }
            left = changed.awaitNanos(left);
        }
    }

    /** The worker has died while it made up a batch; TorchServe would forget the requests in it. */
    private void putBack() {
        for (Job job : collected) {
            if (!offerFirst(job)) { // others have taken their places
                job.sendError(HttpURLConnection.HTTP_UNAVAILABLE, "the worker has died and the queue is full");
            }
        }
    }

    private void endOfBatch() {
        collected.clear();
        collecting = null;
        wake();
    }

    private boolean wokenBy(boolean accepted) {
        wake();
        return accepted;
    }

    private void wake() {
        turns.lock();
        try {
            changed.signalAll();
        } finally {
            turns.unlock();
        }
    }

    private final class Batch extends ReentrantLock {

        private static final long serialVersionUID = 1L;

        @Override
        public void lockInterruptibly() {
            // Whose turn it is, the queue decides when it is asked for the first request.
        }

        @Override
        public boolean isHeldByCurrentThread() {
            return collecting == Thread.currentThread();
        }

        @Override
        public void unlock() {
            endOfBatch();
        }
    }
}
