package vertextorchserve.queue;

import java.util.Map;
import org.pytorch.serve.util.messages.RequestInput;

/**
 * What the server and a handler say to each other about requests that take long, in a header of the request
 * and of the answer (handlers/hf_handler/costly.py is the handler's side).
 */
public final class Costly {
    /** The header's name; a client's own does not count. */
    public static final String HEADER = "x-vts-costly";

    private static final String TELL = "tell";
    private static final String HAND_BACK = "hand-back";
    private static final String BEGIN = "begin";
    private static final String NOT_BEGUN = "handed-back";

    private Costly() {}

    /** Asks for a request to be handed back where it takes long, or else for this to be told. */
    static void ask(RequestInput request, boolean back) {
        if (!is(request)) {
            request.updateHeaders(HEADER, back ? HAND_BACK : TELL);
        }
    }

    /** Marks a request that was handed back. */
    static void remember(RequestInput request) {
        request.updateHeaders(HEADER, BEGIN);
    }

    /**
     * Whether a request was handed back.
     *
     * @param request what was asked.
     * @return whether it was.
     */
    public static boolean is(RequestInput request) {
        return BEGIN.equals(request.getHeaders().get(HEADER));
    }

    /** What an answer says. */
    public enum Word {
        /** Nothing. */
        NONE,
        /** The request takes long, and has been begun. */
        TOLD,
        /** The request takes long, and has not been begun. */
        HANDED_BACK
    }

    /**
     * Takes out of an answer's headers what they say.
     *
     * @param headers of the answer.
     * @return what they said.
     */
    public static Word takeOut(Map<String, String> headers) {
        String said = headers.remove(HEADER);
        if (said == null) {
            return Word.NONE;
        }
        return NOT_BEGUN.equals(said) ? Word.HANDED_BACK : Word.TOLD;
    }
}
