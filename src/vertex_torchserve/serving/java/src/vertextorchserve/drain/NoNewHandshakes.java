package vertextorchserve.drain;

import io.netty.channel.ChannelException;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.Buffer;
import io.netty.channel.unix.RawUnixChannelOption;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a listening socket finish the TCP handshakes that have begun, and begin no other. Whoever tries to
 * connect meanwhile hears nothing, as from a busy machine, and is refused at his next try when the port is
 * closed.
 *
 * <p>The kernel does it, by a packet filter of the socket (socket(7), SO_ATTACH_FILTER; needs no privilege).
 */
final class NoNewHandshakes {
    private static final Logger LOG = LoggerFactory.getLogger(NoNewHandshakes.class);

    // include/uapi/asm-generic/socket.h; the same on x86 and ARM.
    private static final int SOL_SOCKET = 1;
    private static final int SO_ATTACH_FILTER = 26;

    // struct sock_fprog: the number of instructions, and at the next multiple of a pointer's size where they
    // are.
    private static final int PROGRAM_BYTES = 16;
    private static final int POINTER_AT = 8;
    private static final int INSTRUCTION_BYTES = 8;

    // Code, where to jump to if true and if false, operand (linux/filter.h). A packet begins with the TCP
    // header.
    private static final int[][] DROP_WHAT_BEGINS_A_HANDSHAKE = {
            {0x30, 0, 0, 13}, // load the byte of the flags
            {0x54, 0, 0, 0x12}, // and: SYN and ACK
            {0x15, 0, 1, 0x02}, // SYN alone?
            {0x06, 0, 0, 0}, // drop it
            {0x06, 0, 0, -1}, // take all of it
    };

    private NoNewHandshakes() {}

    /**
     * Begins at once, for good.
     *
     * <p>Called from any thread.
     *
     * @param listening the socket.
     * @return whether it was possible: not where the kernel has no such filters.
     */
    static boolean on(EpollServerSocketChannel listening) {
        try {
            ByteBuffer instructions = instructions();
            ByteBuffer program = ByteBuffer.allocateDirect(PROGRAM_BYTES).order(ByteOrder.nativeOrder());
            program.putShort(0, (short) DROP_WHAT_BEGINS_A_HANDSHAKE.length);
            program.putLong(POINTER_AT, Buffer.memoryAddress(instructions));
            boolean known = listening.config().setOption(
                    new RawUnixChannelOption("SO_ATTACH_FILTER", SOL_SOCKET, SO_ATTACH_FILTER, PROGRAM_BYTES),
                    program);
            Reference.reachabilityFence(instructions); // the kernel has copied them now
            return known;
        } catch (ChannelException e) {
            LOG.info("The kernel refuses a filter of new connections: {}", e.toString());
            return false;
        }
    }

    private static ByteBuffer instructions() {
        ByteBuffer bytes = ByteBuffer.allocateDirect(DROP_WHAT_BEGINS_A_HANDSHAKE.length * INSTRUCTION_BYTES)
                                   .order(ByteOrder.nativeOrder());
        for (int[] instruction : DROP_WHAT_BEGINS_A_HANDSHAKE) {
            bytes.putShort((short) instruction[0]);
            bytes.put((byte) instruction[1]);
            bytes.put((byte) instruction[2]);
            bytes.putInt(instruction[3]);
        }
        return bytes.flip();
    }
}
