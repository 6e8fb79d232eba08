package vertextorchserve;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.ModelManager;
import org.pytorch.serve.wlm.ModelVersionedRefs;
import org.pytorch.serve.wlm.WorkerState;

/** Whether a request that comes now would be answered. */
final class Readiness {

    private final Traffic traffic;
    private final Optional<Path> readyFile;

    /** @param readyFile written by whoever started this process, once it is satisfied. */
    Readiness(Traffic traffic, Optional<Path> readyFile) {
        this.traffic = traffic;
        this.readyFile = readyFile;
    }

    /** The first reason why not; empty when ready. */
    Optional<String> obstacle() {
        if (traffic.isDraining()) {
            return Optional.of("the server is stopping");
        }
        return modelsObstacle().or(this::fileObstacle);
    }

    private static Optional<String> modelsObstacle() {
        ModelManager models = ModelManager.getInstance();
        if (models.getAllModels().isEmpty()) {
            return Optional.of("no model is registered");
        }
        for (Map.Entry<String, ModelVersionedRefs> named : models.getAllModels()) {
            for (Map.Entry<String, Model> version : named.getValue().getAllVersions()) {
                Optional<String> obstacle = workersObstacle(models, version.getValue());
                if (obstacle.isPresent()) {
                    return obstacle;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> workersObstacle(ModelManager models, Model model) {
        long loaded =
                models.getWorkers(model.getModelVersionName()).stream()
                        .filter(worker -> worker.getState() == WorkerState.WORKER_MODEL_LOADED)
                        .count();
        // A model whose requirements can't be installed stays registered and wants no worker at all.
        int wanted = Math.max(model.getMinWorkers(), 1);
        if (loaded >= wanted) {
            return Optional.empty();
        }
        return Optional.of(
                String.format(
                        "%d of %d workers have loaded model %s version %s",
                        loaded, wanted, model.getModelName(), model.getVersion()));
    }

    private Optional<String> fileObstacle() {
        return readyFile
                .filter(file -> !Files.exists(file))
                .map(file -> "the model is loaded but has not passed its check yet");
    }
}
