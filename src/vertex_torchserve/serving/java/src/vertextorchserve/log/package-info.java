/**
 * The access log.
 *
 * <p>Imports: {@code http}, {@code metrics}.
 */
package vertextorchserve.log;
