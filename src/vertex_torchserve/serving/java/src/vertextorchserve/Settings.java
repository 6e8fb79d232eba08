package vertextorchserve;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What the {@code -Dvts.*} system properties ask for.
 *
 * @param readyFile {@code vts.ready.file}: not ready before this file exists; empty when not set.
 * @param drainDelay {@code vts.drain.delay.seconds}: how long new connections are still taken after
 *     SIGTERM, for a load balancer to see the 503 first; 0 by default.
 * @param drainLimit {@code vts.drain.limit.seconds}: how long requests may take to be answered after
 *     that; 25 by default, what is left of the 30 s Kubernetes gives.
 * @param requestTimeout {@code vts.request.timeout.seconds}: how long a request may be without an answer
 *     until it gets 504; 3600 by default, as long as Vertex AI's dedicated endpoints wait.
 */
record Settings(
        Optional<Path> readyFile, Duration drainDelay, Duration drainLimit, Duration requestTimeout) {

    /**
     * Reads them.
     *
     * @throws IllegalArgumentException for a number of seconds that is none.
     */
    static Settings fromSystemProperties() {
        return new Settings(
                Optional.ofNullable(System.getProperty("vts.ready.file")).map(Path::of),
                seconds("vts.drain.delay.seconds", 0),
                seconds("vts.drain.limit.seconds", 25),
                seconds("vts.request.timeout.seconds", 3600));
    }

    private static Duration seconds(String name, int otherwise) {
        String value = System.getProperty(name, String.valueOf(otherwise));
        if (!value.matches("\\d{1,6}")) {
            throw new IllegalArgumentException(
                    name + "=" + value + "; a whole number of seconds from 0 to 999999 is accepted");
        }
        return Duration.ofSeconds(Integer.parseInt(value));
    }
}
