/**
 * What happens on SIGTERM, and the count of unanswered requests it needs.
 *
 * <p>Imports: {@code http}.
 */
package vertextorchserve.drain;
