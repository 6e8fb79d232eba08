"""One HTTP request on a connection of its own, and its answer."""

import contextlib
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass

JSON = {"Content-Type": "application/json"}
_SHOWN_CHARACTERS = 160

Address = tuple[str, int]


class NoAnswer(Exception):  # noqa: N818 (what was seen of a server, no error of this program)
    """The connection was refused or ended, or no answer came in time; the text is which."""


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        status: The HTTP status.
        content_type: Of the body; empty when it has none.
        body: All of it.
        seconds: From the connection to its last byte.
    """

    status: int
    content_type: str
    body: bytes
    seconds: float

    def shown(self) -> str:
        """The status and the start of the body, on one line."""
        text = " ".join(self.body.decode(errors="replace").split())
        printable = "".join(each if each.isprintable() else "?" for each in text)
        cut = f"{printable[:_SHOWN_CHARACTERS]}..." if len(printable) > _SHOWN_CHARACTERS else printable
        return f"{self.status} {cut}".strip()


def exchange(
    address: Address,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = JSON,
    *,
    seconds: float,
) -> Answer:
    """Send a request and read its answer.

    Args:
        address: Host and port.
        method: Such as `POST`.
        path: The route.
        body: What is sent; its length is told.
        headers: Besides `Host` and `Content-Length`.
        seconds: For the connection, and for each part of the answer.

    Raises:
        NoAnswer: When there is none.
    """
    connection = http.client.HTTPConnection(*address, timeout=seconds)
    began = time.monotonic()
    try:
        # A server may answer and close before it has read all of a body that is too large.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, dict(headers) if body is not None else {})
        response = connection.getresponse()
        content = response.read()
    except TimeoutError as error:
        raise NoAnswer(f"no answer within {seconds:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"no answer: {type(error).__name__}: {error}".rstrip(": ")) from error
    finally:
        connection.close()
    content_type = response.headers.get("Content-Type", "")
    return Answer(response.status, content_type, content, time.monotonic() - began)
