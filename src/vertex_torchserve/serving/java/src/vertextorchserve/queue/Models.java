package vertextorchserve.queue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
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
     * Says whether each batch of a model's requests is one message to a worker, which then answers all of it:
     * not with asynchronous workers, sequence batching or continuous batching.
     *
     * @param model one of {@link #registered()}.
     * @return whether it is.
     */
    public static boolean hasPlainBatches(Model model) {
        return !model.isAsyncCommunication() && !model.isContinuousBatching() && !model.isSequenceBatching();
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
     * Says why a request found no place where requests belong to sequences: a model has a limited number of
     * them open at a time, and a limited number of requests waits in each.
     *
     * @param sequence the id of the request's sequence; null when it names none.
     * @return what is full, and what the client can do; empty when no model does sequence batching.
     */
    public static Optional<String> fullSequences(String sequence) {
        return registered().stream().filter(Model::isSequenceBatching).findFirst().map(model -> {
            if (sequence != null && model.getJobGroup(sequence) != null) {
                return "requests of this sequence that are waiting: " + model.getMaxSequenceJobQueueSize()
                        + ", the most that may; send this one again later";
            }
            return "sequences that are open: " + model.getMaxNumSequence()
                    + ", the most that the model may have; end one, or begin this one later";
        });
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
