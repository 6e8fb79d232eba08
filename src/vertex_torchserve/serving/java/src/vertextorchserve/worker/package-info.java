/**
 * How a batch gets to a worker and its answer comes back: on a connection that the worker's thread itself
 * writes to and reads from. Reaches into private fields of TorchServe's workers.
 *
 * <p>Imports: {@code queue}.
 */
package vertextorchserve.worker;
