/**
 * The size of HTML forms: how many fields or parts a body has, and how large their headers are, is counted
 * while it arrives, because netty's decoder for forms has no limit for either. Forms are decoded in threads
 * of their own.
 *
 * <p>Imports: {@code http}, {@code queue}.
 */
package vertextorchserve.forms;
