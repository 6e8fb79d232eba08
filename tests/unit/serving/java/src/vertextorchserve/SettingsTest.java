package vertextorchserve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every property must be set, and no other value stands in for one. */
class SettingsTest {
    private static final Map<String, String> PROPERTIES = Map.ofEntries(
            Map.entry("vts.ready.file", "/work/ready"), Map.entry("vts.api.file", "/work/api.json"),
            Map.entry("vts.public.metrics", "1"), Map.entry("vts.abandoned.file", "/work/abandoned"),
            Map.entry("vts.routes", "/p /predictions/m /h /ping"), Map.entry("vts.drain.delay.seconds", "0"),
            Map.entry("vts.drain.limit.seconds", "20"), Map.entry("vts.request.timeout.seconds", "3600"),
            Map.entry("vts.read.timeout.seconds", "30"), Map.entry("vts.idle.timeout.seconds", "620"),
            Map.entry("vts.slowest.bytes.per.second", "8192"), Map.entry("vts.connections", "4096"),
            Map.entry("vts.load.retry.seconds", "5"), Map.entry("vts.form.fields", "128"),
            Map.entry("vts.form.urlencoded.bytes", "999999"),
            Map.entry("vts.form.part.header.bytes", "8192"));

    @BeforeEach
    void set() {
        PROPERTIES.forEach(System::setProperty);
    }

    @AfterEach
    void clear() {
        PROPERTIES.keySet().forEach(System::clearProperty);
    }

    @Test
    void eachPropertyHasItsSetting() {
        Settings expected = new Settings(Path.of("/work/ready"), Path.of("/work/api.json"), true,
                Path.of("/work/abandoned"), Map.of("/p", "/predictions/m", "/h", "/ping"),
                Duration.ofSeconds(0), Duration.ofSeconds(20), Duration.ofHours(1), Duration.ofSeconds(30),
                Duration.ofSeconds(620), 8192, 4096, Duration.ofSeconds(5), 128, 999_999, 8192);
        assertEquals(expected, Settings.fromSystemProperties());
    }

    @Test
    void aPathWithoutItsPairIsRefused() {
        System.setProperty("vts.routes", "/p /predictions/m /h");
        String message =
                assertThrows(IllegalArgumentException.class, Settings::fromSystemProperties).getMessage();
        assertEquals("vts.routes=/p /predictions/m /h; pairs of paths are accepted", message);
    }

    @Test
    void aMissingPropertyIsNamed() {
        for (String name : PROPERTIES.keySet()) {
            String value = System.clearProperty(name);
            String message =
                    assertThrows(IllegalArgumentException.class, Settings::fromSystemProperties).getMessage();
            assertEquals(name + " is not set; start the JVM with -D" + name + "=...", message);
            System.setProperty(name, value);
        }
    }
}
