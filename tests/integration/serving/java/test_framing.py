"""Requests that two servers could read in two ways are refused, and nothing behind them is read."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from testbed.deadlines import ANSWER_SECONDS
from testbed.jvm_server import JvmServer
from tests.integration.serving.java.http_client import raw

POST = b"POST /predictions/model HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
SMUGGLED = POST + b"Content-Type: text/plain\r\nContent-Length: 8\r\n\r\nsmuggled"
PING = b"GET /ping HTTP/1.1\r\nHost: a\r\n"

# What is sent, and what the answer says of it.
AMBIGUOUS = {
    "length-and-chunked": (
        CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
        "there is a Content-Length beside Transfer-Encoding; only one of them is accepted",
    ),
    "http-1.0-chunked": (
        b"POST /predictions/model HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "there is a Transfer-Encoding in an HTTP/1.0 request; send HTTP/1.1",
    ),
    "http-1.0-chunked-and-length": (
        b"POST /predictions/model HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "there is a Content-Length beside Transfer-Encoding; only one of them is accepted",
    ),
    **{
        f"length-{name}": (
            POST + headers + b"\r\nhello",
            "Content-Length is not one number of up to 18 digits, which is accepted, once",
        )
        for name, headers in {
            "twice": b"Content-Length: 5\r\nContent-Length: 6\r\n",
            "twice-the-same": b"Content-Length: 5\r\nContent-Length: 5\r\n",
            "listed": b"Content-Length: 5, 5\r\n",
            "with-plus": b"Content-Length: +5\r\n",
            "with-minus": b"Content-Length: -5\r\n",
            "hexadecimal": b"Content-Length: 0x5\r\n",
            "empty": b"Content-Length: \r\n",
            "with-a-space-in-it": b"Content-Length: 5 5\r\n",
            "beyond-64-bits": b"Content-Length: 18446744073709551621\r\n",
        }.items()
    },
    **{
        f"coding-{name}": (
            POST + headers + b"\r\n0\r\n\r\n",
            "Transfer-Encoding is not chunked, which is accepted, once",
        )
        for name, headers in {
            "xchunked": b"Transfer-Encoding: xchunked\r\n",
            "chunked-xchunked": b"Transfer-Encoding: chunked, xchunked\r\n",
            "identity": b"Transfer-Encoding: identity\r\n",
            "twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "quoted": b'Transfer-Encoding: "chunked"\r\n',
            "empty": b"Transfer-Encoding:\r\n",
        }.items()
    },
    **{
        f"chunk-size-{name}": (
            CHUNKED + b"\r\n" + line + b"\r\nhello\r\n0\r\n\r\n",
            "the size of a chunk is not a number of up to 8 hexadecimal digits below 80000000",
        )
        for name, line in {
            "minus-one": b"-1",
            "with-plus": b"+5",
            "with-0x": b"0x5",
            "empty": b"",
            "behind-a-space": b" 5",
            "before-a-space": b"5 ",
            "beyond-32-bits": b"100000005",
            "negative-in-32-bits": b"ffffffff",
        }.items()
    },
    "chunk-extension-with-bare-lf": (
        CHUNKED + b"\r\n5;a\nhello\r\n0\r\n\r\n",
        "the line before a chunk has a line that does not end in CRLF",
    ),
    "chunk-extension-with-quoted-crlf": (
        CHUNKED + b'\r\n5;a="\r\nhello\r\n0\r\n\r\n',
        "the extension of a chunk has a quotation mark or a control character",
    ),
    "chunk-extension-with-bare-cr": (
        CHUNKED + b"\r\n5;a\rb\r\nhello\r\n0\r\n\r\n",
        "the extension of a chunk has a quotation mark or a control character",
    ),
    "chunk-extension-without-end": (
        CHUNKED + b"\r\n5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n",
        "the line before a chunk is too large",
    ),
    "chunk-longer-than-its-size": (
        CHUNKED + b"\r\n5\r\nhello!\r\n0\r\n\r\n",
        "a chunk is longer than its size says",
    ),
    "chunk-ended-by-lf": (CHUNKED + b"\r\n5\r\nhello\n0\r\n\r\n", "a chunk is longer than its size says"),
    "trailer-folded": (
        CHUNKED + b"\r\n0\r\na: b\r\n c\r\n\r\n",
        'a header is not "name: value" on one line, with no space before the colon',
    ),
    **{
        f"header-{name}": (
            POST + line + b"\r\nContent-Length: 0\r\n\r\n",
            'a header is not "name: value" on one line, with no space before the colon',
        )
        for name, line in {
            "name-with-vertical-tab": b"Transfer-Encoding\x0b: chunked",
            "name-behind-nul": b"\x00Transfer-Encoding: chunked",
            "name-before-a-space": b"Transfer-Encoding : chunked",
            "name-before-a-tab": b"Content-Length\t: 5",
            "name-behind-a-space": b" Transfer-Encoding: chunked",
            "name-with-a-space": b"Transfer Encoding: chunked",
            "name-empty": b": chunked",
            "name-beyond-ascii": b"Content-Length\xa0: 5",
            "folded": b"a: b\r\n chunked",
            "without-colon": b"Transfer-Encoding",
        }.items()
    },
    "header-value-with-nul": (
        POST + b"a: b\x00c\r\nContent-Length: 0\r\n\r\n",
        "a header's value has a control character",
    ),
    "header-value-with-bare-cr": (
        POST + b"a: b\rContent-Length: 5\r\n\r\n",
        "a header's value has a control character",
    ),
    "header-ended-by-lf": (
        POST + b"a: b\nContent-Length: 0\r\n\r\n",
        "the head of a request has a line that does not end in CRLF",
    ),
    **{
        f"before-the-request-line-{name}": (
            control + POST + b"Content-Length: 0\r\n\r\n",
            "there is a control character before the request line",
        )
        for name, control in {"nul": b"\x00", "space": b" ", "lf": b"\n", "tls": b"\x16\x03\x01"}.items()
    },
    "two-empty-lines-before-the-request-line": (
        b"\r\n\r\n" + PING + b"\r\n",
        "there is more than one empty line before a request",
    ),
    **{
        f"request-line-{name}": (
            line + b"\r\nHost: a\r\n\r\n",
            'the first line is not "METHOD target HTTP/1.1", with one space between its parts',
        )
        for name, line in {
            "with-two-spaces": b"GET  /ping HTTP/1.1",
            "with-a-tab": b"GET\t/ping HTTP/1.1",
            "behind-esc": b"G\x1bET /ping HTTP/1.1",
            "with-del-in-the-target": b"GET /pi\x7fng HTTP/1.1",
            "without-version": b"GET /ping",
        }.items()
    },
    **{
        f"version-{version.decode()}": (
            b"GET /ping " + version + b"\r\nHost: a\r\n\r\n",
            "the first line does not end in HTTP/1.1 or HTTP/1.0, which are accepted",
        )
        for version in (b"HTTP/9.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"XTTP/1.1")
    },
    "no-host": (b"GET /ping HTTP/1.1\r\n\r\n", "there is no Host header; HTTP/1.1 asks for one"),
    "two-hosts": (PING + b"Host: b\r\n\r\n", "there are several Host headers; one is accepted"),
    "two-hosts-in-http-1.0": (
        b"GET /ping HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        "there are several Host headers; one is accepted",
    ),
    "eight-bytes-of-an-old-websocket": (
        PING + b"Sec-WebSocket-Key1: 1\r\nSec-WebSocket-Key2: 2\r\n\r\n12345678",
        "Sec-WebSocket-Key1 is not accepted; there are no WebSockets",
    ),
    "target-without-end": (
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        "the head of a request is too large",
    ),
    "head-without-end": (PING + b"a: b\r\n" * 3000, "the head of a request is too large"),
}


def smuggled(server: JvmServer) -> bool:
    """Whether SMUGGLED has reached the worker, which has by then answered a request that came later."""
    assert raw(server, POST + b"Connection: close\r\nContent-Length: 0\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    mark = Path(server.log_path.parents[1], "smuggled")
    arrived = mark.exists()
    mark.unlink(missing_ok=True)
    return arrived


def test_what_is_smuggled_would_be_noticed(measuring_server: JvmServer) -> None:
    raw(measuring_server, SMUGGLED + PING + b"Connection: close\r\n\r\n")
    assert smuggled(measuring_server)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_an_ambiguous_request_is_400_and_the_last(measuring_server: JvmServer, name: str) -> None:
    sent, reason = AMBIGUOUS[name]
    answer = raw(measuring_server, sent + SMUGGLED)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nconnection: close\r\n" in head.lower() + b"\r\n"
    assert json.loads(body) == {"error": reason}
    assert not smuggled(measuring_server)


def test_an_unknown_expectation_is_417_and_its_body_is_no_request(measuring_server: JvmServer) -> None:
    expecting = b"Expect: a miracle\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    answer = raw(measuring_server, POST + expecting + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 417 Expectation Failed\r\n")
    assert answer.endswith(b'\r\n\r\n{"error":"Expect is not 100-continue"}\n')
    assert not smuggled(measuring_server)


def test_a_request_before_it_is_answered(measuring_server: JvmServer) -> None:
    answer = raw(measuring_server, PING + b"\r\n" + b"GET /ping HTTP/9.9\r\nHost: a\r\n\r\n" + SMUGGLED)
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"200", b"400"]
    assert not smuggled(measuring_server)


def test_twenty_thousand_chunks_are_the_most(measuring_server: JvmServer) -> None:
    answer = raw(measuring_server, CHUNKED + b"\r\n" + b"1\r\na\r\n" * 150_000 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b'\r\n\r\n{"error":"the body has more than 20000 chunks; send larger ones"}\n')


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        pytest.param([b"GET /ping HTTP/1.0\r\n\r\n"], [b"200"], id="http-1.0-without-host"),
        pytest.param([b"\r\n" + PING + b"Connection: close\r\n\r\n"], [b"200"], id="one-empty-line-before"),
        pytest.param(
            [PING + b"\r\n", PING + b"\r\n" + PING + b"Connection: close\r\n\r\n"],
            [b"200", b"200", b"200"],
            id="keep-alive-and-pipelining",
        ),
        pytest.param(
            [bytes([byte]) for byte in PING + b"Connection: close\r\n\r\n"], [b"200"], id="byte-by-byte"
        ),
        pytest.param(
            [
                CHUNKED + b"Connection: close\r\n\r\n2;a=b\r\n{}\r\n",
                b"0002\r\n  \r",
                b"\n00\r\nx-sum: 1\r\n\r\n",
            ],
            [b"200"],
            id="chunks-with-extension-and-trailer",
        ),
        pytest.param(
            [CHUNKED + b"\r\n1\r\na\r\n0\r\n\r\n" + PING + b"Connection: close\r\n\r\n"],
            [b"200", b"200"],
            id="a-request-behind-chunks",
        ),
        pytest.param(
            [POST + b"Connection: close\r\nContent-Length: 0000000000002\r\n\r\n{}"],
            [b"200"],
            id="zeros-before-a-length",
        ),
        pytest.param(
            [PING + b"a:b\r\nc:\t d \t\r\ne: \xe4\r\nf:\r\nConnection: close\r\n\r\n"],
            [b"200"],
            id="values-of-all-kinds",
        ),
    ],
)
def test_ordinary_requests_are_answered(
    measuring_server: JvmServer, sent: list[bytes], statuses: list[bytes]
) -> None:
    assert re.findall(rb"HTTP/1.1 (\d+) ", raw(measuring_server, *sent)) == statuses


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--http1.0"],
        ["--header", "Transfer-Encoding: chunked"],
        ["--header", "Expect: 100-continue"],
        ["--header", "Transfer-Encoding: chunked", "--header", "Expect: 100-continue"],
    ],
    ids=" ".join,
)
def test_curl_sends_a_large_body(measuring_server: JvmServer, options: list[str], tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x" * 2_000_000)
    command = ["curl", "--silent", "--show-error", "--max-time", str(ANSWER_SECONDS), *options]
    command += ["--data-binary", f"@{tmp_path / 'body'}", "--header", "Content-Type: text/plain"]
    url = f"http://127.0.0.1:{measuring_server.http}/predictions/model"
    done = subprocess.run([*command, url], capture_output=True, check=True)
    assert json.loads(done.stdout) == {"body": 2_000_000}
