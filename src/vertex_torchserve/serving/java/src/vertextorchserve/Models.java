package vertextorchserve;

import java.lang.reflect.Field;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.LinkedBlockingDeque;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.ModelManager;
import org.pytorch.serve.wlm.WorkerState;

/** The models that TorchServe has registered, with their workers and the requests that wait for one. */
final class Models {

    private static final Field QUEUES = modelField("jobsDb");
    private static final Field LOCK = modelField("lock");

    private Models() {}

    static List<Model> registered() {
        return ModelManager.getInstance().getAllModels().stream()
                .flatMap(named -> named.getValue().getAllVersions().stream())
                .map(Map.Entry::getValue)
                .toList();
    }

    /** How many workers of a model would take a request now. */
    static long loadedWorkers(Model model) {
        return ModelManager.getInstance().getWorkers(model.getModelVersionName()).stream()
                .filter(worker -> worker.getState() == WorkerState.WORKER_MODEL_LOADED)
                .count();
    }

    static int waitingRequests() {
        return registered().stream().mapToInt(Model::getPendingRequestsInJobQueue).sum();
    }

    /** Takes requests out of the queues whose connection is closed: nobody would read the answer. */
    static void dropAbandonedRequests() {
        for (Model model : registered()) {
            queue(model).removeIf(job -> !job.isOpen());
        }
    }

    /**
     * Gives the models a {@link JobQueue}; before their workers have loaded them, and ask for requests. Those
     * that TorchServe batches in another way keep what they have.
     */
    static void queueForTheLastBusyWorker() {
        for (Model model : registered()) {
            if (model.isAsyncCommunication() || model.isContinuousBatching() || model.isSequenceBatching()) {
                continue;
            }
            JobQueue queue = new JobQueue(model.getJobQueueRemainingCapacity());
            try {
                LOCK.set(model, queue.batch());
                queues(model).put(Model.DEFAULT_DATA_QUEUE, queue);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static Queue<Job> queue(Model model) {
        return queues(model).get(Model.DEFAULT_DATA_QUEUE);
    }

    @SuppressWarnings("unchecked") // as TorchServe 0.12.0 declares it
    private static Map<String, LinkedBlockingDeque<Job>> queues(Model model) {
        try {
            return (Map<String, LinkedBlockingDeque<Job>>) QUEUES.get(model);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Private to TorchServe, which offers no way to look at a waiting request or to say who gets it. */
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
