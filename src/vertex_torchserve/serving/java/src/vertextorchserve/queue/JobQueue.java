package vertextorchserve.queue;

import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.util.messages.InputParameter;
import org.pytorch.serve.util.messages.RequestInput;
import vertextorchserve.metrics.Measured;

/**
 * The requests of one model that wait for a worker.
 *
 * <p>When several workers are idle, the one that finished a batch last makes up the next batch. So a single
 * client keeps one worker busy, and the others stay idle, whose cores the reference handler then uses too. A
 * batch waits for more requests only while no other worker is idle, and only for as many as are likely to
 * come: clients whose requests were answered together send their next ones at about the same time. It waits
 * for them for a small share of the time that a batch takes. TorchServe 0.12 does neither: it gives each
 * request to the worker that has been idle the longest, and lets every batch wait for more requests, although
 * an idle worker could answer them or nobody will send one.
 *
 * <p>Requests with large bodies take long, as a rule. They make batches of their own, in turns with those of
 * small ones, and while small ones come, one worker is kept free of large ones ({@link LargeBatches}); with
 * a single worker a small request waits for one batch of large ones at most. A batch of large ones has a
 * bound in bytes, for a worker that reads many megabytes works on none of them meanwhile.
 *
 * <p>Each worker has a thread in the JVM that calls {@code Model.pollBatch}. That method locks the model,
 * asks this queue for a first request with the longest possible time-out, then for each further request with
 * what is left of the batch's delay, and unlocks the model. Those calls end in {@link #poll(long, TimeUnit)}
 * and in {@link #batchLock()}, which stands in for the model's lock. Requests are added by netty's threads.
 */
public final class JobQueue extends LinkedBlockingDeque<Job> {
    private static final long serialVersionUID = 1L;

    /** A body of more bytes is large. */
    static final int LARGE_BYTES = 32 << 10;

    /** The most bytes of the bodies of one batch, but for a single request with more. */
    static final int MOST_BATCH_BYTES = 1 << 20;

    /**
     * The shortest delay of a batch that TorchServe takes. It stands for none: a batch has waited before its
     * second request is asked for.
     */
    private static final long LEAST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** How long a batch waits for requests that are likely to come, as a share of what one takes. */
    private static final double WAIT_SHARE = 0.05;

    /** How often a worker looks again whether a large request that was held back may begin. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** Held while a worker decides whether to take a request or to wait; not while it waits. */
    private final transient ReentrantLock state = new ReentrantLock();

    /** Signalled to the worker that makes up a batch, when a request was added or a worker became idle. */
    private final transient Condition more = state.newCondition();

    /** The workers that wait for a first request; the one that finished a batch last comes first. */
    private final transient Deque<Idle> idle = new ArrayDeque<>();

    /** The worker that makes up a batch; null when none does. */
    private transient volatile Thread collecting;

    /** What that worker has taken so far, the newest first; only its own thread reads and changes it. */
    private final transient Deque<Job> collected = new ArrayDeque<>();

    /** The clock by which batches are measured. */
    private final transient LongSupplier nanoTime;

    /** The requests that are likely to be there for the next batch of the worker that asks. */
    private final transient ThreadLocal<Integer> expected = ThreadLocal.withInitial(() -> 1);

    /** Which workers run large requests. */
    private final transient LargeBatches largeBatches = new LargeBatches();

    /** Whether the requests of the newest batch are large. */
    private transient boolean large;

    /** The bytes of the bodies of the newest batch. */
    private transient long batchBytes;

    /**
     * A worker that waits for a first request.
     *
     * @param first signalled when it has become the first of them and should look, and to no other: a worker
     *         that is woken in vain takes the core from one that has work.
     */
    private record Idle(Thread worker, Condition first) {}

    /**
     * An empty queue.
     *
     * @param capacity the most requests that may wait.
     */
    JobQueue(int capacity) {
        this(capacity, System::nanoTime);
    }

    /**
     * An empty queue that measures its batches with a clock of its own.
     *
     * @param capacity the most requests that may wait.
     * @param nanoTime the time in nanoseconds, as {@code System.nanoTime()} tells it.
     */
    JobQueue(int capacity, LongSupplier nanoTime) {
        super(capacity);
        this.nanoTime = nanoTime;
    }

    /**
     * Called by a worker's thread when its batch is about to be answered.
     *
     * @param requests how many the batch has. As many again are likely to come, besides those that wait.
     * @param most how many a batch may have: more need not be waited for.
     */
    public void answering(int requests, int most) {
        expected.set(Math.min(requests + size(), most));
    }

    /**
     * Called by a worker's thread before its batch is sent: tells the handler what to do with requests that
     * it finds will take long. They are begun where no small ones come that would wait for them.
     *
     * @param requests of the batch.
     */
    public void ask(List<RequestInput> requests) {
        state.lock();
        try {
            boolean smallCome = largeBatches.smallCome(nanoTime.getAsLong());
            requests.forEach(request -> Costly.ask(request, smallCome));
        } finally {
            state.unlock();
        }
    }

    /**
     * Called by a worker's thread before it asks for its next batch: its handler has found that requests will
     * take long, and handed them back. They wait again, in their order and before all others, as large ones.
     *
     * @param jobs the requests.
     */
    public void takeBack(List<Job> jobs) {
        for (int i = jobs.size() - 1; i >= 0; i--) {
            Costly.remember(jobs.get(i).getPayload());
            putFirst(jobs.get(i), "the request will take long, and the queue is full");
        }
    }

    /**
     * Called by a worker's thread: all requests of its batch take long.
     *
     * @param begun whether they are answered; not where all were handed back.
     */
    public void allCostly(boolean begun) {
        state.lock();
        try {
            if (begun) {
                largeBatches.isCostly(Thread.currentThread());
            } else {
                largeBatches.noBatch(Thread.currentThread());
            }
        } finally {
            state.unlock();
        }
    }

    @Override
    public boolean offerFirst(Job job) {
        boolean accepted = super.offerFirst(job);
        signalChange();
        return accepted;
    }

    @Override
    public boolean offerLast(Job job) {
        boolean accepted = super.offerLast(job);
        signalChange();
        return accepted;
    }

    /**
     * Called by a worker's thread: for the first request of a batch with a time-out of {@code
     * Long.MAX_VALUE}, for the others with what is left of the batch's delay.
     *
     * @return the request; null when the batch should end without another one.
     * @throws InterruptedException when the worker has died. The requests of its unfinished batch are back in
     *         the queue, in their old order, for another worker.
     */
    @Override
    public Job poll(long timeout, TimeUnit unit) throws InterruptedException {
        boolean first = timeout == Long.MAX_VALUE;
        try {
            state.lockInterruptibly();
            try {
                Job job = first ? firstOfBatch() : nextOfBatch(unit.toNanos(timeout));
                if (job != null) {
                    collected.addFirst(job);
                    if (first) {
                        waitForExpected();
                    }
                    Measured.taken(Duration.ofNanos(System.nanoTime() - job.getBegin()));
                }
                return job;
            } finally {
                state.unlock();
            }
        } catch (InterruptedException e) {
            forget(Thread.currentThread());
            if (collecting == Thread.currentThread()) {
                putBack();
            }
            throw e;
        }
    }

    private void forget(Thread worker) {
        state.lock();
        try {
            largeBatches.died(worker);
        } finally {
            state.unlock();
        }
    }

    /** The lock for TorchServe's model, of which only the worker that makes up a batch is the holder. */
    ReentrantLock batchLock() {
        return new BatchLock();
    }

    private Job firstOfBatch() throws InterruptedException {
        Idle own = new Idle(Thread.currentThread(), state.newCondition());
        idle.push(own);
        largeBatches.idle(own.worker, nanoTime.getAsLong());
        more.signal(); // a batch that waits for more requests ends now
        try {
            while (true) {
                boolean mayTake = collecting == null && idle.peek() == own;
                Job job = mayTake ? startOfBatch() : null;
                if (job != null) {
                    collecting = own.worker;
                    largeBatches.began(own.worker, large, nanoTime.getAsLong());
                    return job;
                }
                if (mayTake && !isEmpty()) {
                    own.first.awaitNanos(LOOK_NANOS);
                } else {
                    own.first.await();
                }
            }
        } finally {
            idle.remove(own);
            letTheFirstLook();
        }
    }

    private void waitForExpected() throws InterruptedException {
        long left = Math.max(
                LEAST_DELAY_NANOS, (long) (WAIT_SHARE * largeBatches.meanNanos(large, nanoTime.getAsLong())));
        while (left > 0 && idle.isEmpty() && collected.size() + size() < expected.get()) {
            left = more.awaitNanos(left);
        }
    }

    private Job nextOfBatch(long nanoseconds) throws InterruptedException {
        long left = nanoseconds <= LEAST_DELAY_NANOS ? 0 : nanoseconds;
        while (true) {
            Job job = moreOfBatch();
            if (job != null || left <= 0 || !idle.isEmpty() || !isEmpty()) {
                return job;
            }
            left = more.awaitNanos(left);
        }
    }

    /** Whoever may take a request that waits looks at it; while a batch is made up, that is nobody else. */
    private void letTheFirstLook() {
        if (collecting != null) {
            more.signal();
        } else if (!idle.isEmpty() && !isEmpty()) {
            idle.peek().first.signal();
        }
    }

    /** A request for a new batch: of the other size than the newest one's, if there is one. */
    private Job startOfBatch() {
        for (boolean wanted : new boolean[] {!large, large}) {
            for (Job job : this) {
                if (isLarge(job) == wanted && mayBegin(job) && remove(job)) {
                    large = wanted;
                    batchBytes = bytes(job);
                    return job;
                }
            }
        }
        return null;
    }

    private boolean mayBegin(Job job) {
        return !isLarge(job)
                || largeBatches.mayBegin(job.getBegin(), nanoTime.getAsLong(), Costly.is(job.getPayload()));
    }

    /** The next request of the batch's size; null when none waits, or the batch would have too many bytes. */
    private Job moreOfBatch() {
        for (Job job : this) {
            if (isLarge(job) == large) {
                long together = batchBytes + bytes(job);
                if (together > MOST_BATCH_BYTES) {
                    return null;
                }
                if (remove(job)) {
                    batchBytes = together;
                    return job;
                }
            }
        }
        return null;
    }

    private static boolean isLarge(Job job) {
        return Costly.is(job.getPayload()) || bytes(job) > LARGE_BYTES;
    }

    private static long bytes(Job job) {
        long bytes = 0; // counted for each request that waits, whenever a batch begins: without a stream
        for (InputParameter part : job.getPayload().getParameters()) {
            bytes += part.getValue().length;
        }
        return bytes;
    }

    /** TorchServe would forget the requests of an unfinished batch when its worker dies. */
    private void putBack() {
        for (Job job : collected) {
            putFirst(job, "the worker has died and the queue is full");
        }
        collected.clear();
    }

    private void putFirst(Job job, String otherwise) {
        if (!offerFirst(job)) { // requests that came since have taken the places
            job.sendError(HttpURLConnection.HTTP_UNAVAILABLE, otherwise);
        }
    }

    private void endBatch() {
        if (!collected.isEmpty()) {
            Measured.batched(collected.size());
        }
        collected.clear();
        collecting = null;
        signalChange();
    }

    private void signalChange() {
        state.lock();
        try {
            letTheFirstLook();
        } finally {
            state.unlock();
        }
    }

    /**
     * What TorchServe calls around a batch, on the model's lock; here it reads and ends this queue's batch.
     */
    private final class BatchLock extends ReentrantLock {
        private static final long serialVersionUID = 1L;

        @Override
        public void lockInterruptibly() {
            // Never waits: a worker waits in firstOfBatch, where the idle workers are put in order.
        }

        @Override
        public boolean isHeldByCurrentThread() {
            return collecting == Thread.currentThread();
        }

        @Override
        public void unlock() {
            endBatch();
        }
    }
}
