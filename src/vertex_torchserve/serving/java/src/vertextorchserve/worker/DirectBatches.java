package vertextorchserve.worker;

import java.io.IOException;
import java.lang.reflect.Field;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.metrics.IMetric;
import org.pytorch.serve.metrics.MetricCache;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.Connector;
import org.pytorch.serve.util.messages.BaseModelRequest;
import org.pytorch.serve.util.messages.ModelInferenceRequest;
import org.pytorch.serve.util.messages.ModelWorkerResponse;
import org.pytorch.serve.util.messages.Predictions;
import org.pytorch.serve.wlm.BatchAggregator;
import org.pytorch.serve.wlm.Model;
import org.pytorch.serve.wlm.ModelManager;
import org.pytorch.serve.wlm.WorkerState;
import org.pytorch.serve.wlm.WorkerThread;
import vertextorchserve.queue.Costly;
import vertextorchserve.queue.JobQueue;
import vertextorchserve.queue.ModelQueues;
import vertextorchserve.queue.Models;

/**
 * Sends a worker its batches and hands out its answers, all in the thread that TorchServe has for this
 * worker.
 *
 * <p>TorchServe 0.12 starts a thread to write each batch, which leaves it to one of netty's, and another one
 * of netty's reads the answer and wakes the worker's thread: four wakeups more for each batch. Its thread
 * asks for a batch in {@link #getRequest}, so that is where batches are written and answered here; the method
 * returns for the command to load the model only. That command goes over TorchServe's own connection, which
 * then tells that the worker has died: its end interrupts the thread.
 */
public final class DirectBatches extends BatchAggregator {
    private static final Field BATCHES = workerField("aggregator");
    private static final Field REQUEST = workerField("req");

    /** How long after the end of our connection TorchServe's may take to end. */
    private static final long DEATH_MILLIS = TimeUnit.SECONDS.toMillis(5);

    private final WorkerThread worker;

    /**
     * TorchServe's gauge of the milliseconds that the thread spends on a batch beside waiting for its
     * answer.
     */
    private final IMetric time = MetricCache.getInstance().getMetricFrontend("WorkerThreadTime");

    private final List<String> timeDimensions = List.of("Host", ConfigManager.getInstance().getHostName());

    private DirectBatches(Model model, WorkerThread worker) {
        super(model);
        this.worker = worker;
    }

    /**
     * Gives the workers of every registered model a connection of their own. Called once, when their
     * processes have been started and before they have loaded the model. Models that TorchServe batches in
     * another way, or serves by several processes together, keep its connections, and so do all where it
     * connects by TCP.
     */
    public static void replace() {
        if (!new Connector(0).isUds()) {
            return;
        }
        for (Model model : Models.registered()) {
            if (Models.hasPlainBatches(model) && model.getParallelLevel() == 0) {
                for (WorkerThread worker :
                        ModelManager.getInstance().getWorkers(model.getModelVersionName())) {
                    set(BATCHES, worker, new DirectBatches(model, worker));
                }
            }
        }
    }

    /**
     * Called by the worker's thread.
     *
     * @return the command to load the model; once it is loaded, nothing.
     * @throws InterruptedException when the worker has died or is to end.
     * @throws ExecutionException when it has not answered in time, or not as it should.
     */
    @Override
    public BaseModelRequest getRequest(String workerId, WorkerState state)
            throws InterruptedException, ExecutionException {
        if (state != WorkerState.WORKER_MODEL_LOADED) {
            return super.getRequest(workerId, state);
        }
        try (WorkerSocket socket = new WorkerSocket(path(workerId))) {
            WorkerMessages messages =
                    new WorkerMessages(socket, ConfigManager.getInstance().getMaxResponseSize());
            while (worker.isRunning()) {
                ModelInferenceRequest batch = (ModelInferenceRequest) super.getRequest(workerId, state);
                set(REQUEST, worker, batch); // TorchServe answers this one when the worker dies
                run(batch, messages, socket);
                set(REQUEST, worker, null);
                model.resetFailedInfReqs();
            }
        } catch (SocketTimeoutException e) {
            model.incrFailedInfReqs();
            throw new ExecutionException(e);
        } catch (IOException e) {
            Thread.sleep(DEATH_MILLIS); // interrupted as soon as TorchServe knows it too
            throw new ExecutionException(e);
        }
        throw new InterruptedException("the worker is to end");
    }

    private void run(ModelInferenceRequest batch, WorkerMessages messages, WorkerSocket socket)
            throws IOException, InterruptedException {
        long began = System.nanoTime();
        long waited = 0;
        socket.mayTake(model.getResponseTimeout());
        ModelQueues.of(model).ask(batch.getRequestBatch());
        messages.write(batch);
        boolean answered = false;
        while (!answered) {
            socket.mayTake(model.getResponseTimeout()); // for each part of a streamed answer
            long asked = System.nanoTime();
            ModelWorkerResponse answer = messages.read();
            waited += System.nanoTime() - asked;
            if (takeBack(answer, batch)) {
                ModelQueues.of(model).answering(batch.getRequestBatch().size(), model.getBatchSize());
            }
            answered = sendResponse(answer);
        }
        time.addOrUpdate(timeDimensions, (System.nanoTime() - began - waited) / 1e6);
    }

    /**
     * Takes the requests out of an answer that the handler has handed back, and lets them wait again.
     *
     * @return whether any is answered.
     */
    private boolean takeBack(ModelWorkerResponse answer, ModelInferenceRequest batch) {
        int costly = 0;
        List<Job> back = new ArrayList<>();
        for (Predictions prediction : List.copyOf(answer.getPredictions())) {
            Costly.Word word = Costly.takeOut(prediction.getHeaders());
            costly += word == Costly.Word.NONE ? 0 : 1;
            Job job = jobs.get(prediction.getRequestId());
            if (word == Costly.Word.HANDED_BACK && job != null && !Costly.is(job.getPayload())) {
                back.add(jobs.remove(prediction.getRequestId()));
                answer.getPredictions().remove(prediction);
            }
        }
        JobQueue queue = ModelQueues.of(model);
        if (costly == batch.getRequestBatch().size()) {
            queue.allCostly(back.isEmpty());
        }
        queue.takeBack(back);
        return back.size() < batch.getRequestBatch().size();
    }

    /** Beside TorchServe's own socket; envelope/direct_connection.py listens there. */
    private static Path path(String workerId) {
        Path torchServes = Path.of(new Connector(Integer.parseInt(workerId)).getSocketPath());
        return torchServes.resolveSibling(".direct." + workerId);
    }

    private static void set(Field field, WorkerThread worker, Object value) {
        try {
            field.set(worker, value);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Field workerField(String name) {
        try {
            Field field = WorkerThread.class.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException(e);
        }
    }
}
