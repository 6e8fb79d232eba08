/**
 * {@code /ping}: whether a request that comes now would be answered.
 *
 * <p>Imports: {@code drain}, {@code http}, {@code queue}.
 */
package vertextorchserve.ready;
