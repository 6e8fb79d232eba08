/**
 * HTTP on one connection: the order of its requests, how it ends, and the errors it carries. Knows nothing of
 * models.
 *
 * <p>Imports: none.
 */
package vertextorchserve.http;
