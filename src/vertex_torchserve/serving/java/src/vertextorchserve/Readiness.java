package vertextorchserve;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.pytorch.serve.wlm.Model;

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

    static Optional<String> modelsObstacle() {
        List<Model> models = Models.registered();
        if (models.isEmpty()) {
            return Optional.of("no model is registered");
        }
        return models.stream().map(Readiness::workersObstacle).flatMap(Optional::stream).findFirst();
    }

    private static Optional<String> workersObstacle(Model model) {
        long loaded = Models.loadedWorkers(model);
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
