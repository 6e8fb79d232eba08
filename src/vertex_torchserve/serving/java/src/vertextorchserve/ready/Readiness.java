package vertextorchserve.ready;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.pytorch.serve.wlm.Model;
import vertextorchserve.drain.Traffic;
import vertextorchserve.queue.Models;

/** Whether a request that comes now would be answered. Asked from any thread. */
public final class Readiness {
    private final Traffic traffic;
    private final Path readyFile;

    /**
     * Reads nothing yet.
     *
     * @param traffic knows whether the server is stopping.
     * @param readyFile not ready before this file exists: whoever started this process writes it once the
     *         model has
     *     passed its check.
     */
    public Readiness(Traffic traffic, Path readyFile) {
        this.traffic = traffic;
        this.readyFile = readyFile;
    }

    /**
     * Says why the server is not ready.
     *
     * @return the first reason; empty when it is ready.
     */
    public Optional<String> obstacle() {
        if (traffic.isDraining()) {
            return Optional.of("the server is stopping");
        }
        return modelsObstacle().or(this::fileObstacle);
    }

    /**
     * Says which model is not ready, whatever else is.
     *
     * @return the first reason; empty when all workers of all models have loaded them.
     */
    public static Optional<String> modelsObstacle() {
        List<Model> models = Models.registered();
        if (models.isEmpty()) {
            return Optional.of("no model is registered");
        }
        return models.stream().map(Readiness::workersObstacle).flatMap(Optional::stream).findFirst();
    }

    private static Optional<String> workersObstacle(Model model) {
        long loaded = Models.loadedWorkers(model);
        // A model whose requirements could not be installed stays registered, with a minimum of 0 workers.
        int wanted = Math.max(model.getMinWorkers(), 1);
        if (loaded >= wanted) {
            return Optional.empty();
        }
        return Optional.of(String.format("%d of %d workers have loaded model %s version %s", loaded, wanted,
                model.getModelName(), model.getVersion()));
    }

    private Optional<String> fileObstacle() {
        if (Files.exists(readyFile)) {
            return Optional.empty();
        }
        return Optional.of("the model is loaded but has not passed its check yet");
    }
}
