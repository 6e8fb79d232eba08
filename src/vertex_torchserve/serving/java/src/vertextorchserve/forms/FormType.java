package vertextorchserve.forms;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder;
import java.util.Locale;
import java.util.Set;
import vertextorchserve.http.RefusedRequest;

/**
 * Tells which bodies TorchServe gives to netty's decoder for forms, by the same calls, and with which
 * boundary. A subclass only because netty's reading of the boundary is protected; there are no objects of it.
 */
final class FormType extends HttpPostRequestDecoder {
    private static final int MOST_BOUNDARY_CHARACTERS = 70; // RFC 2046, section 5.1.1
    /** Those in which the bytes of a header are the same as in ASCII. */
    private static final Set<String> CHARSETS = Set.of("utf-8", "us-ascii", "iso-8859-1");

    private FormType(HttpRequest request) {
        super(request);
    }

    private static boolean isMultipart(CharSequence mimeType) {
        return mimeType != null && HttpHeaderValues.MULTIPART_FORM_DATA.contentEqualsIgnoreCase(mimeType);
    }

    static boolean isForm(HttpRequest request) {
        return isUrlencoded(request) || isMultipart(request);
    }

    static boolean isUrlencoded(HttpRequest request) {
        CharSequence type = HttpUtil.getMimeType(request);
        return type != null
                && HttpHeaderValues.APPLICATION_X_WWW_FORM_URLENCODED.contentEqualsIgnoreCase(type);
    }

    /**
     * The boundary of a form in parts, with the two hyphens before it; null when it is none.
     *
     * @throws RefusedRequest for one that the decoder would read in another way than other servers.
     */
    static String boundary(HttpRequest request) throws RefusedRequest {
        String type = request.headers().get(HttpHeaderNames.CONTENT_TYPE);
        if (type == null) {
            return null;
        }
        String[] read;
        try {
            read = getMultipartDataBoundary(type);
        } catch (ErrorDataDecoderException | IndexOutOfBoundsException unreadable) {
            throw refusal();
        }
        if (read == null) {
            if (isMultipart(HttpUtil.getMimeType(type))) {
                throw refusal();
            }
            return null;
        }
        String charset = read.length > 1 ? read[1] : null;
        String boundary = read[0];
        boolean known = charset == null || CHARSETS.contains(charset.toLowerCase(Locale.ROOT));
        boolean tooLong = boundary.length() > MOST_BOUNDARY_CHARACTERS + 2;
        if (!known || tooLong || boundary.length() < 3
                || !boundary.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
            throw refusal();
        }
        return boundary;
    }

    private static RefusedRequest refusal() {
        return new RefusedRequest(HttpResponseStatus.BAD_REQUEST,
                "the Content-Type of the form has no boundary of 1 to " + MOST_BOUNDARY_CHARACTERS
                        + " ASCII characters, or another charset than UTF-8");
    }
}
