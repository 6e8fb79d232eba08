"""Requests that two servers could read in two ways, and heads without end."""

from .attack import HEAD, Attack, outcomes

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
PING = b"GET /ping HTTP/1.1\r\n"
LENGTH = HEAD + b"Content-Length: 5\r\n"


def _framing(name: str, sends: str, payload: bytes, *right: int) -> Attack:
    return Attack(name, sends, lambda: payload, outcomes(*(right or (400,))))


FRAMINGS = (
    _framing("length-and-chunked", "`Content-Length` beside `Transfer-Encoding`",
             CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n"),
    _framing("two-lengths", "two different `Content-Length`", LENGTH + b"Content-Length: 6\r\n\r\nhello"),
    _framing("length-with-a-sign", "`Content-Length: +5`", HEAD + b"Content-Length: +5\r\n\r\nhello"),
    _framing("two-codings", "`Transfer-Encoding: chunked, xchunked`",
             HEAD + b"Transfer-Encoding: chunked, xchunked\r\n\r\n0\r\n\r\n"),
    _framing("chunked-in-http-1.0", "`Transfer-Encoding` in HTTP/1.0",
             b"POST /predictions/model HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    _framing("negative-chunk", "a chunk of -1 bytes", CHUNKED + b"\r\n-1\r\nhello\r\n0\r\n\r\n"),
    _framing("chunk-extension-with-lf", "a line feed in a chunk's extension",
             CHUNKED + b"\r\n5;a\nhello\r\n0\r\n\r\n"),
    _framing("control-character-in-a-name", "a NUL before `Transfer-Encoding`",
             HEAD + b"\0Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    _framing("control-character-before-a-request", "a NUL before the request line",
             b"\0" + LENGTH + b"\r\nhello"),
    _framing("http-9.9", "`HTTP/9.9`", b"GET /ping HTTP/9.9\r\nHost: a\r\n\r\n"),
    _framing("no-host", "HTTP/1.1 without `Host`", PING + b"\r\n"),
    _framing("two-hosts", "two `Host`", PING + b"Host: a\r\nHost: b\r\n\r\n"),
    Attack("head-of-10-MB", "a head of ten million bytes", lambda: PING + b"a: b\r\n" * 1_666_666,
           outcomes(400)),
    Attack("target-of-10-MB", "a request line of ten million bytes",
           lambda: b"GET /" + b"a" * 10_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", outcomes(400)),
    Attack("million-chunks", "a body in 1,500,000 chunks of one byte",
           lambda: CHUNKED + b"\r\n" + b"1\r\n \r\n" * 1_500_000 + b"0\r\n\r\n",
           outcomes(413)),
)  # fmt: skip
