package vertextorchserve.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.concurrent.DefaultEventExecutor;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When an alarm runs its action, set early, late, anew, and not at all. */
class AlarmTest {
    private static final long HOUR = TimeUnit.HOURS.toNanos(1);
    private static final long SHORTLY = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long MOST_SECONDS = 60;

    private final DefaultEventExecutor executor = new DefaultEventExecutor();
    private final AtomicInteger runs = new AtomicInteger();
    private final CountDownLatch ran = new CountDownLatch(1);
    private final Alarm alarm = new Alarm(() -> {
        runs.incrementAndGet();
        ran.countDown();
    });

    @AfterEach
    void stop() {
        executor.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    }

    @Test
    void itRunsWhenItsTimeHasCome() throws Exception {
        long begun = System.nanoTime();
        inThread(() -> alarm.set(executor, SHORTLY));
        assertTrue(ran.await(MOST_SECONDS, TimeUnit.SECONDS));
        assertTrue(System.nanoTime() - begun >= SHORTLY);
    }

    @Test
    void anEarlierTimeTakesThePlaceOfALaterOne() throws Exception {
        inThread(() -> {
            alarm.set(executor, HOUR);
            alarm.set(executor, SHORTLY);
        });
        assertTrue(ran.await(MOST_SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void aLaterTimeTakesThePlaceOfAnEarlierOne() throws Exception {
        long begun = System.nanoTime();
        inThread(() -> {
            alarm.set(executor, SHORTLY);
            alarm.set(executor, 4 * SHORTLY);
        });
        assertTrue(ran.await(MOST_SECONDS, TimeUnit.SECONDS));
        assertTrue(System.nanoTime() - begun >= 4 * SHORTLY);
        assertEquals(1, runs.get());
    }

    @Test
    void unsetItDoesNotRun() throws Exception {
        CountDownLatch later = new CountDownLatch(1);
        inThread(() -> {
            alarm.set(executor, SHORTLY);
            alarm.unset();
            executor.schedule(later::countDown, 4 * SHORTLY, TimeUnit.NANOSECONDS);
        });
        assertTrue(later.await(MOST_SECONDS, TimeUnit.SECONDS));
        assertEquals(0, runs.get());
    }

    private void inThread(Runnable action) throws Exception {
        executor.submit(action).get(MOST_SECONDS, TimeUnit.SECONDS);
    }
}
