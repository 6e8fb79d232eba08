"""What one hostile client sends."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

WIRE = "wire"
"""The small handler of `wire_handler.py`; every other name is a model of testbed/tiny_models."""
HEAD = b"POST /predictions/model HTTP/1.1\r\nHost: a\r\n"


@dataclass(frozen=True)
class Attack:
    """One hostile client.

    Attributes:
        name: Of the attack, as tables and documents have it.
        sends: What it sends, in words.
        payload: Makes the bytes that go to each of its connections.
        right: The outcomes that are right: a status, `closed` without an answer, or `open`.
        served: The model that is asked: `WIRE`, or a name of testbed/tiny_models.
        connections: How many connections one client opens, all at once.
        drips: Whether a further byte follows on each connection every second, without end.
        reads: Whether it reads what it is answered.
        holds: Whether it keeps its connections open, answered or not, for as long as the trial lasts.
    """

    name: str
    sends: str
    payload: Callable[[], bytes]
    right: frozenset[str]
    served: str = WIRE
    connections: int = 1
    drips: bool = False
    reads: bool = True
    holds: bool = False


def posted(body: bytes, content_type: str = "application/json", headers: bytes = b"") -> bytes:
    """A whole prediction request.

    Args:
        body: As it is sent.
        content_type: Of the body.
        headers: Further ones, each with its CRLF.
    """
    length = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n".encode()
    return HEAD + length + headers + b"\r\n" + body


def asked(*instances: Any) -> bytes:
    """A prediction request for instances of JSON types."""
    return posted(json.dumps({"instances": instances}).encode())


def outcomes(*right: object) -> frozenset[str]:
    """What `Attack.right` takes, from statuses and words."""
    return frozenset(map(str, right))
