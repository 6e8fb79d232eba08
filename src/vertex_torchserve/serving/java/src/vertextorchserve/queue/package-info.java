/**
 * The models that TorchServe has registered, their workers, and the requests that wait for one. The only
 * package that reaches into TorchServe's private fields.
 *
 * <p>Imports: {@code metrics}.
 */
package vertextorchserve.queue;
