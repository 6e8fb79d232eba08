package vertextorchserve.queue;

import java.util.List;
import java.util.Map;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.ModelManager;
import org.pytorch.serve.wlm.WorkerState;

/** The models that TorchServe has registered and their workers. All methods may be called from any thread. */
public final class Models {
    private Models() {}

    /**
     * Lists the models.
     *
     * @return every version of every registered model.
     */
    public static List<Model> registered() {
        return ModelManager.getInstance()
                .getAllModels()
                .stream()
                .flatMap(named -> named.getValue().getAllVersions().stream())
                .map(Map.Entry::getValue)
                .toList();
    }

    /**
     * Counts the workers of a model that would take a request now.
     *
     * @param model one of {@link #registered()}.
     * @return how many have loaded it.
     */
    public static long loadedWorkers(Model model) {
        return ModelManager.getInstance()
                .getWorkers(model.getModelVersionName())
                .stream()
                .filter(worker -> worker.getState() == WorkerState.WORKER_MODEL_LOADED)
                .count();
    }

    /**
     * Tells whether requests belong to sequences, of which a model has a limited number open at a time.
     *
     * @return whether one of the models does sequence batching.
     */
    public static boolean haveSequences() {
        return registered().stream().anyMatch(Model::isSequenceBatching);
    }

    /**
     * Counts the requests that wait for a worker.
     *
     * @return how many, of all models together.
     */
    public static int waitingRequests() {
        return registered().stream().mapToInt(Model::getPendingRequestsInJobQueue).sum();
    }
}
