"""What makes the handler answer something that the wire can't carry; `wire_handler.py` does as it is told."""

from typing import Any

from .attack import Attack, asked, outcomes

LINE_BYTES = 20_000_000


def _header(name: str, sends: str, key: str, value: Any) -> Attack:
    return Attack(name, sends, lambda: asked({"header": [key, value]}), outcomes(500))


ANSWERS = (
    _header("header-value-with-a-newline", "has a newline set in a header", "X-A", "b\r\nX-C: d"),
    _header("header-value-with-nul", "has a NUL set in a header", "X-A", "b\0"),
    _header("header-value-with-a-surrogate", "has half a character set in a header", "X-A", "\ud800"),
    _header("header-value-none", "has None set as a header", "X-A", None),
    _header("header-without-name", "has a header with an empty name set", "", "b"),
    _header("header-transfer-encoding", "has `Transfer-Encoding` set", "Transfer-Encoding", "chunked"),
    _header("header-content-length", "has `Content-Length` set", "Content-Length", "1"),
    _header("header-of-1-MB", "has a header of 1 MB set", "X-A", "a" * 1_000_000),
    Attack("status-99", "has the status 99 set", lambda: asked({"status": 99}), outcomes(500)),
    Attack(
        "answer-of-5-million-numbers", "has five million numbers answered",
        lambda: asked({"numbers": 5_000_000}), outcomes(500),
    ),
    Attack(
        "line-of-20-MB", "has 20 MB printed without a newline",
        lambda: asked({"print": LINE_BYTES}), outcomes(200),
    ),
)  # fmt: skip
