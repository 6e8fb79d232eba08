package vertextorchserve.limits;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Tells the workers which requests nobody waits for any more; TorchServe's protocol has no message for that.
 *
 * <p>A file that the JVM and the workers map into memory: a table of numbers. Each request has a number, from
 * 1 on. When its connection ends before its answer, the number is written at its remainder by the table's
 * length. Nothing has to be cleaned up, and where two requests have one place, neither is taken for the
 * other.
 *
 * <p>One for all connections; called in their threads.
 */
public final class AbandonedRequests {
    private static final int PLACES = 1 << 16;

    private final LongBuffer table;
    private final AtomicLong last = new AtomicLong();

    /**
     * An empty table.
     *
     * @param file made if it is not there; 512 KiB.
     * @throws IOException when it can't be written.
     */
    public AbandonedRequests(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(
                     file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            table = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) PLACES * Long.BYTES)
                            .order(ByteOrder.nativeOrder())
                            .asLongBuffer();
        }
    }

    /** The number of a new request. */
    long next() {
        return last.incrementAndGet();
    }

    /** Tells the workers that nobody waits for this request. */
    void add(long number) {
        table.put((int) (number % PLACES), number);
    }
}
