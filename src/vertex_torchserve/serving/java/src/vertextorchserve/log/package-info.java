/**
 * The access log.
 *
 * <p>Imports: {@code http}.
 */
package vertextorchserve.log;
