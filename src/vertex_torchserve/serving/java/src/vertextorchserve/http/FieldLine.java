package vertextorchserve.http;

/**
 * One header of a request's head or of its trailer, {@code name: value} (RFC 9112, section 5).
 *
 * @param name a token, as it was sent.
 * @param value without the spaces and tabs around it.
 */
record FieldLine(String name, String value) {
    /** Which characters a token may have (RFC 9110, section 5.6.2). */
    private static final boolean[] TOKEN = new boolean[256];

    static {
        for (char c = '0'; c <= 'z'; c++) {
            TOKEN[c] = Character.isLetterOrDigit(c);
        }
        for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            TOKEN[c] = true;
        }
    }

    /**
     * Reads one line.
     *
     * @param line the bytes of the line, each one a character, without CRLF.
     * @throws RefusedRequest for a line that starts with a space (a folded one), for a name that is empty or
     *         has spaces or control characters in it or beside it, for a value with control characters.
     */
    static FieldLine of(String line) throws RefusedRequest {
        int colon = line.indexOf(':');
        if (colon < 0 || !isToken(line, 0, colon)) {
            throw RefusedRequest.malformed(
                    "a header is not \"name: value\" on one line, with no space before the colon");
        }
        for (int i = colon + 1; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c < ' ' && c != '\t' || c == 0x7f) {
                throw RefusedRequest.malformed("a header's value has a control character");
            }
        }
        int from = colon + 1;
        int to = line.length();
        while (from < to && isBlank(line.charAt(from))) {
            from++;
        }
        while (from < to && isBlank(line.charAt(to - 1))) {
            to--;
        }
        return new FieldLine(line.substring(0, colon), line.substring(from, to));
    }

    boolean is(CharSequence wanted) {
        return wanted.length() == name.length() && name.equalsIgnoreCase(wanted.toString());
    }

    /** Whether these characters, at least one, may be a method or a header's name. */
    static boolean isToken(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!TOKEN[text.charAt(i)]) {
                return false;
            }
        }
        return from < to;
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }
}
