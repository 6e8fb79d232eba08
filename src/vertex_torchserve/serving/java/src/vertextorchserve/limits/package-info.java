/**
 * Which requests are refused: 405, 408, 413, 415, 503 and 504, each with a reason the client can act on.
 *
 * <p>Imports: {@code http}, {@code queue}, {@code ready}.
 */
package vertextorchserve.limits;
