/**
 * What Prometheus is told of requests and batches. TorchServe's own metrics are in the same registry.
 *
 * <p>Imports: none.
 */
package vertextorchserve.metrics;
