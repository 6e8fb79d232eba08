package vertextorchserve.queue;

import java.lang.reflect.Field;
import java.util.Map;
import java.util.concurrent.LinkedBlockingDeque;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.wlm.Model;

/**
 * The queues inside TorchServe's models.
 *
 * <p>They are private fields: TorchServe 0.12 has no public way to look at a waiting request without taking
 * it, or to say which worker gets it.
 */
public final class ModelQueues {
    private static final Field QUEUES = modelField("jobsDb");
    private static final Field LOCK = modelField("lock");

    private ModelQueues() {}

    /**
     * Gives every registered model a {@link JobQueue}. Called once, when the models are registered and before
     * their workers have loaded them: a worker that waits on the queue it found would never see the new one.
     */
    public static void replace() {
        Models.registered().forEach(ModelQueues::replace);
    }

    /**
     * Finds the queue of a model.
     *
     * @param model one whose batches are plain, after {@link #replace()}.
     * @return where its requests wait.
     */
    public static JobQueue of(Model model) {
        return (JobQueue) queues(model).get(Model.DEFAULT_DATA_QUEUE);
    }

    /**
     * Takes the requests out of the queues whose connection is closed: nobody would read the answer. Called
     * from any thread.
     */
    public static void dropAbandonedRequests() {
        for (Model model : Models.registered()) {
            queues(model).get(Model.DEFAULT_DATA_QUEUE).removeIf(job -> !job.isOpen());
        }
    }

    /** Models that TorchServe batches in another way keep its queue. */
    static void replace(Model model) {
        if (Models.hasPlainBatches(model)) {
            replace(model, new JobQueue(model.getJobQueueRemainingCapacity()));
        }
    }

    static void replace(Model model, JobQueue queue) {
        try {
            LOCK.set(model, queue.batchLock());
            queues(model).put(Model.DEFAULT_DATA_QUEUE, queue);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    @SuppressWarnings("unchecked") // as TorchServe 0.12.0 declares it
    private static Map<String, LinkedBlockingDeque<Job>> queues(Model model) {
        try {
            return (Map<String, LinkedBlockingDeque<Job>>) QUEUES.get(model);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Field modelField(String name) {
        try {
            Field field = Model.class.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException(e);
        }
    }
}
