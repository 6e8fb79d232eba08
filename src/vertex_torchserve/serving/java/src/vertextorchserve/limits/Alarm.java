package vertextorchserve.limits;

import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Runs something when its time has come, and costs next to nothing when it is set anew with each request: a
 * timer that fires too early is set to the rest of the time, and only one that would fire too late is taken
 * back.
 *
 * <p>Used in one thread, that of the connection.
 */
final class Alarm {
    private final Runnable action;
    private boolean set;
    private long due; // System.nanoTime()
    private Future<?> timer; // null: none will fire
    private long fires; // System.nanoTime()

    /**
     * An alarm that is not set.
     *
     * @param action what to run; it may set the alarm again.
     */
    Alarm(Runnable action) {
        this.action = action;
    }

    /**
     * Run the action later, and not when it was to run before.
     *
     * @param executor the thread of the connection.
     * @param nanoseconds from now on.
     */
    void set(EventExecutor executor, long nanoseconds) {
        set = true;
        due = System.nanoTime() + nanoseconds;
        if (timer != null && fires - due > 0) {
            timer.cancel(false);
            timer = null;
        }
        if (timer == null) {
            start(executor);
        }
    }

    /** Don't run the action; the timer may still fire, for nothing. */
    void unset() {
        set = false;
    }

    /** Don't run the action, and keep nothing that refers to it. */
    void discard() {
        set = false;
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void start(EventExecutor executor) {
        fires = due;
        timer = executor.schedule(() -> fire(executor), due - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    private void fire(EventExecutor executor) {
        timer = null;
        if (!set) {
            return;
        }
        if (due - System.nanoTime() > 0) {
            start(executor);
        } else {
            set = false;
            action.run();
        }
    }
}
