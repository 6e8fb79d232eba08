/**
 * The models that TorchServe has registered, their workers, and the requests that wait for one. Reaches into
 * private fields of TorchServe's models.
 *
 * <p>Imports: {@code metrics}.
 */
package vertextorchserve.queue;
