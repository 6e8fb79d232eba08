/**
 * The size of HTML forms: how many fields or parts a body has, and how large their headers are, is counted
 * while it arrives, because netty's decoder for forms has no limit for either.
 *
 * <p>Imports: {@code http}.
 */
package vertextorchserve.forms;
