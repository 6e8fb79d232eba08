/**
 * What the port of predictions says beside predictions: the state of models as KServe asks for it, the
 * description of the API, metrics.
 *
 * <p>Imports: {@code http}, {@code queue}, {@code ready}.
 */
package vertextorchserve.api;
