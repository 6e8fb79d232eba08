package vertextorchserve;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * What the {@code -Dvts.*} system properties say. All of them must be set: their values, defaults included,
 * are decided by the Python that starts the JVM (jvm_command.py).
 *
 * @param readyFile {@code vts.ready.file}: not ready before this file exists.
 * @param apiFile {@code vts.api.file}: the description of the API; not there before the model is ready.
 * @param publicMetrics {@code vts.public.metrics}: 1 for metrics on the port of predictions, too; else 0.
 * @param abandonedFile {@code vts.abandoned.file}: the table of requests that nobody waits for any more,
 *         which is made.
 * @param routes {@code vts.routes}: the path that TorchServe serves, by the one that the platform asks for.
 * @param drainDelay {@code vts.drain.delay.seconds}: how long new connections are still accepted after
 *         SIGTERM, for a load balancer to see the 503 of {@code /ping} first.
 * @param drainLimit {@code vts.drain.limit.seconds}: how long requests may take to be answered after that.
 * @param requestTimeout {@code vts.request.timeout.seconds}: how long a request may be without an answer
 *         until it gets 504.
 * @param readTimeout {@code vts.read.timeout.seconds}: how long the head of a request may take to arrive, and
 *         a body or an answer beside what its bytes need.
 * @param slowestBytesPerSecond {@code vts.slowest.bytes.per.second}: with how many bytes a second a body or
 *         an answer may take longer than that.
 * @param idleTimeout {@code vts.idle.timeout.seconds}: how long a connection may be open without a request.
 * @param connections {@code vts.connections}: how many connections may be open that take any request.
 * @param loadRetry {@code vts.load.retry.seconds}: how long a client is told to wait while no worker has
 *         loaded the model.
 * @param formFields {@code vts.form.fields}: how many fields or parts a form may have.
 * @param formUrlencodedBytes {@code vts.form.urlencoded.bytes}: how many bytes a form may have that is not in
 *         parts.
 * @param formPartHeaderBytes {@code vts.form.part.header.bytes}: how many bytes the headers of one part may
 *         have.
 */
record Settings(Path readyFile, Path apiFile, boolean publicMetrics, Path abandonedFile,
        Map<String, String> routes, Duration drainDelay, Duration drainLimit, Duration requestTimeout,
        Duration readTimeout, Duration idleTimeout, int slowestBytesPerSecond, int connections,
        Duration loadRetry, int formFields, int formUrlencodedBytes, int formPartHeaderBytes) {
    /**
     * Reads them; called once, by the main thread.
     *
     * @throws IllegalArgumentException for a property that is not set, or for a number that is not a whole
     *         one from 0 to 999999.
     */
    static Settings fromSystemProperties() {
        return new Settings(Path.of(property("vts.ready.file")), Path.of(property("vts.api.file")),
                number("vts.public.metrics") == 1, Path.of(property("vts.abandoned.file")),
                routes("vts.routes"), seconds("vts.drain.delay.seconds"), seconds("vts.drain.limit.seconds"),
                seconds("vts.request.timeout.seconds"), seconds("vts.read.timeout.seconds"),
                seconds("vts.idle.timeout.seconds"), number("vts.slowest.bytes.per.second"),
                number("vts.connections"), seconds("vts.load.retry.seconds"), number("vts.form.fields"),
                number("vts.form.urlencoded.bytes"), number("vts.form.part.header.bytes"));
    }

    /** Pairs of an asked and a served path, all separated by spaces, which no path has. */
    private static Map<String, String> routes(String name) {
        String[] paths = property(name).split(" ");
        if (paths.length % 2 != 0) {
            throw new IllegalArgumentException(name + "=" + property(name) + "; pairs of paths are accepted");
        }
        Map<String, String> served = new HashMap<>();
        for (int i = 0; i < paths.length; i += 2) {
            served.put(paths[i], paths[i + 1]);
        }
        return served;
    }

    private static Duration seconds(String name) {
        return Duration.ofSeconds(number(name));
    }

    private static int number(String name) {
        String value = property(name);
        if (!value.matches("\\d{1,6}")) {
            throw new IllegalArgumentException(
                    name + "=" + value + "; a whole number from 0 to 999999 is accepted");
        }
        return Integer.parseInt(value);
    }

    private static String property(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is not set; start the JVM with -D" + name + "=...");
        }
        return value;
    }
}
