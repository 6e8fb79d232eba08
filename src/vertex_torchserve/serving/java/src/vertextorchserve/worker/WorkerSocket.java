package vertextorchserve.worker;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A connection to a worker, for one thread, which waits itself until it can go on. Every wait ends at the
 * deadline, and when the thread is interrupted.
 */
final class WorkerSocket implements Closeable {
    /** Bodies and answers pass in parts of this many bytes, so that large ones need no more memory. */
    private static final int BUFFER_BYTES = 64 << 10;

    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);
    private long deadline;

    /**
     * Connects.
     *
     * @param path where the worker listens.
     * @throws IOException when it doesn't.
     */
    @SuppressWarnings("resource") // that configureBlocking returns is the channel itself
    WorkerSocket(Path path) throws IOException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
        try {
            channel.configureBlocking(false);
            selector = Selector.open();
            key = channel.register(selector, SelectionKey.OP_READ);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Sets the deadline of all that is written and read from now on. */
    void mayTake(long seconds) {
        deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    }

    void writeByte(int value) throws IOException, InterruptedException {
        room(Byte.BYTES);
        out.put((byte) value);
    }

    void writeInt(int value) throws IOException, InterruptedException {
        room(Integer.BYTES);
        out.putInt(value);
    }

    void writeBytes(byte[] bytes) throws IOException, InterruptedException {
        int written = 0;
        while (written < bytes.length) {
            room(1);
            int part = Math.min(out.remaining(), bytes.length - written);
            out.put(bytes, written, part);
            written += part;
        }
    }

    /** Sends what has been written. */
    void flush() throws IOException, InterruptedException {
        out.flip();
        while (out.hasRemaining()) {
            if (channel.write(out) == 0) {
                await(SelectionKey.OP_WRITE);
            }
        }
        out.clear();
    }

    int readInt() throws IOException, InterruptedException {
        if (in.remaining() >= Integer.BYTES) {
            return in.getInt();
        }
        return ByteBuffer.wrap(readBytes(Integer.BYTES)).getInt();
    }

    byte[] readBytes(int length) throws IOException, InterruptedException {
        byte[] bytes = new byte[length];
        int read = 0;
        while (read < length) {
            if (!in.hasRemaining()) {
                fill();
            }
            int part = Math.min(in.remaining(), length - read);
            in.get(bytes, read, part);
            read += part;
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }

    private void room(int bytes) throws IOException, InterruptedException {
        if (out.remaining() < bytes) {
            flush();
        }
    }

    private void fill() throws IOException, InterruptedException {
        in.clear();
        int read = channel.read(in);
        while (read == 0) {
            await(SelectionKey.OP_READ);
            read = channel.read(in);
        }
        in.flip();
        if (read < 0) {
            throw new EOFException("the worker has closed the connection");
        }
    }

    private void await(int operation) throws IOException, InterruptedException {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0) {
            throw new SocketTimeoutException("Backend worker did not respond in given time");
        }
        key.interestOps(operation);
        selector.select(left);
        selector.selectedKeys().clear();
        if (Thread.interrupted()) {
            throw new InterruptedException("the worker has died");
        }
    }
}
