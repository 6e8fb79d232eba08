package vertextorchserve.ready;

import io.prometheus.client.Collector;
import io.prometheus.client.GaugeMetricFamily;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.pytorch.serve.wlm.Model;
import vertextorchserve.queue.Models;

/** What is so at the moment of a scrape: ready or not, workers, queues. Called from any thread. */
public final class StateMetrics extends Collector implements Collector.Describable {
    private static final List<String> LABELS = List.of("model");

    private final Readiness readiness;

    /**
     * What is registered with Prometheus.
     *
     * @param readiness asked at every scrape.
     */
    public StateMetrics(Readiness readiness) {
        this.readiness = readiness;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        return List.of(new GaugeMetricFamily(
                               "vts_ready", "1 when /ping is 200.", readiness.obstacle().isEmpty() ? 1 : 0),
                ofModels("vts_workers_loaded", "Workers that have loaded the model.", Models::loadedWorkers),
                ofModels("vts_workers_wanted", "Workers that should have loaded it.", Model::getMinWorkers),
                ofModels("vts_queue_requests", "Requests that wait for a worker.",
                        Model::getPendingRequestsInJobQueue),
                ofModels("vts_queue_capacity_requests", "The most that may wait; one more gets 503.",
                        model
                        -> model.getPendingRequestsInJobQueue() + model.getJobQueueRemainingCapacity()));
    }

    /** Empty: what is registered is asked for its names otherwise, before there are any models. */
    @Override
    public List<MetricFamilySamples> describe() {
        return List.of();
    }

    private static GaugeMetricFamily ofModels(String name, String help, ToDoubleFunction<Model> value) {
        GaugeMetricFamily family = new GaugeMetricFamily(name, help, LABELS);
        Models.registered().forEach(
                model -> family.addMetric(List.of(model.getModelName()), value.applyAsDouble(model)));
        return family;
    }
}
