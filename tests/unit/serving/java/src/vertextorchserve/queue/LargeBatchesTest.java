package vertextorchserve.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whether a worker is kept for small requests; times are given, nobody waits. */
class LargeBatchesTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final LargeBatches batches = new LargeBatches();
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<Thread> workers = new ArrayList<>();
    private long now = 1;

    @AfterEach
    void end() {
        over.countDown();
    }

    @Test
    void theLastWorkerIsKeptForSmallRequests() {
        Thread one = worker();
        Thread two = worker();
        run(one, false, 10);
        run(one, true, 1_000);
        batches.began(one, true, now);
        assertFalse(batches.mayBegin(now, now, false));
        Thread three = worker();
        assertTrue(batches.mayBegin(now, now, false), "a third worker is left");
        batches.began(two, true, now);
        assertFalse(batches.mayBegin(now, now, false));
        batches.idle(two, now);
        batches.died(three);
        batches.idle(one, now);
        assertTrue(batches.mayBegin(now, now, false), "none runs a large one");
    }

    @Test
    void aSingleWorkerTakesBoth() {
        Thread only = worker();
        run(only, false, 10);
        run(only, true, 1_000);
        assertTrue(batches.mayBegin(now, now, false));
    }

    @Test
    void largeOnesThatTakeNoLongerAreNotHeldBack() {
        Thread one = worker();
        worker();
        run(one, true, 29);
        batches.began(one, true, now);
        assertTrue(batches.mayBegin(now, now, false), "no small one has ended");
        batches.idle(one, now + 29 * MILLI);
        run(one, false, 10);
        batches.began(one, true, now);
        assertTrue(batches.mayBegin(now, now, false));
    }

    @Test
    void oneThatItsHandlerSaysTakesLongIsHeldBackBeforeAnyHasEnded() {
        Thread one = worker();
        worker();
        run(one, false, 10);
        batches.began(one, true, now);
        assertTrue(batches.mayBegin(now, now, false));
        assertFalse(batches.mayBegin(now, now, true));
    }

    @Test
    void requestsThatWereOnlyLookedAtAreNoSmallOnes() {
        Thread one = worker();
        worker();
        batches.began(one, false, now);
        batches.noBatch(one);
        batches.idle(one, now);
        batches.began(one, true, now);
        assertTrue(batches.mayBegin(now, now, true));
    }

    @Test
    void aBatchThatTurnsOutToTakeLongIsNoSmallOne() {
        Thread one = worker();
        worker();
        batches.began(one, false, now);
        batches.isCostly(one);
        batches.idle(one, now);
        assertFalse(batches.smallCome(now));
        run(one, false, 10);
        assertTrue(batches.smallCome(now));
        assertFalse(batches.smallCome(now + LargeBatches.KEPT_NANOS));
    }

    @Test
    void whereNoSmallOnesComeABatchIsExpectedToTakeAsLongAsLargeOnes() {
        Thread one = worker();
        run(one, false, 10);
        run(one, true, 1_000);
        assertEquals(10 * MILLI, batches.meanNanos(false, now));
        assertEquals(1_000 * MILLI, batches.meanNanos(true, now));
        assertEquals(1_000 * MILLI, batches.meanNanos(false, now + 2 * LargeBatches.KEPT_NANOS));
    }

    @Test
    void noWorkerIsKeptWhereNoSmallRequestCameLately() {
        Thread one = worker();
        worker();
        run(one, false, 0);
        batches.began(one, false, now);
        batches.idle(one, now + 10 * MILLI);
        batches.began(one, true, now + 10 * MILLI);
        batches.idle(one, now + 1_000 * MILLI);
        batches.began(one, true, now + 1_000 * MILLI);
        assertFalse(batches.mayBegin(now + LargeBatches.KEPT_NANOS, now + LargeBatches.KEPT_NANOS, false));
        long later = now + LargeBatches.KEPT_NANOS + 1;
        assertTrue(batches.mayBegin(later, later, false));
    }

    @Test
    void aLargeRequestWaitsForThisOnlySoLong() {
        Thread one = worker();
        worker();
        run(one, true, 1_000);
        run(one, false, 10);
        batches.began(one, true, now);
        assertFalse(batches.mayBegin(now - LargeBatches.MOST_WAIT_NANOS, now, false));
        assertTrue(batches.mayBegin(now - LargeBatches.MOST_WAIT_NANOS - 1, now, false));
    }

    @Test
    void aThreadThatEndedIsNoWorker() throws Exception {
        Thread one = worker();
        Thread two = worker();
        run(one, false, 10);
        run(one, true, 1_000);
        batches.began(two, true, now);
        assertFalse(batches.mayBegin(now, now, false));
        over.countDown();
        two.join();
        one.join();
        assertTrue(batches.mayBegin(now, now, false));
    }

    private Thread worker() {
        Thread thread = new Thread(() -> {
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        thread.setDaemon(true);
        thread.start();
        workers.add(thread);
        batches.idle(thread, now);
        return thread;
    }

    private void run(Thread worker, boolean large, long millis) {
        batches.began(worker, large, now);
        now += millis * MILLI;
        batches.idle(worker, now);
    }
}
