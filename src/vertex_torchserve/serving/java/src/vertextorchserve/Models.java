package vertextorchserve;

import java.lang.reflect.Field;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.ModelManager;
import org.pytorch.serve.wlm.WorkerState;

/** The models that TorchServe has registered, with their workers and the requests that wait for one. */
final class Models {

    private static final Field QUEUES = queues();

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

    @SuppressWarnings("unchecked") // as TorchServe 0.12.0 declares it
    private static Queue<Job> queue(Model model) {
        try {
            return ((Map<String, Queue<Job>>) QUEUES.get(model)).get(Model.DEFAULT_DATA_QUEUE);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Private to TorchServe, which offers no way to look at a waiting request without taking it. */
    private static Field queues() {
        try {
            Field queues = Model.class.getDeclaredField("jobsDb");
            queues.setAccessible(true);
            return queues;
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException(e);
        }
    }
}
