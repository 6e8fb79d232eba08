package vertextorchserve.drain;

/** What the drain needs of the server it stops. Called in the thread that runs the drain. */
public interface DrainedServer {
    /**
     * Tells whether there is anything to drain.
     *
     * @return whether the ports have been opened.
     */
    boolean isStarted();

    /**
     * Closes the ports. The connections that the kernel has accepted stay open; returns when this is done.
     */
    void stopListening();

    /** Ends the server, with its connections and workers. */
    void stop();
}
