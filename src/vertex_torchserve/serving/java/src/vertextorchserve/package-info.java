/**
 * The main class that starts TorchServe 0.12, the settings it is started with, and the order of the handlers
 * that a connection to the inference port goes through.
 *
 * <p>Imports: {@code api}, {@code drain}, {@code forms}, {@code http}, {@code limits}, {@code log}, {@code
 * queue}, {@code ready}, {@code worker}.
 */
package vertextorchserve;
