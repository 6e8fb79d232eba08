"""Status and headers of one answer, checked before they leave the worker.

TorchServe passes on what a handler sets. What can't be packed into its message ends the worker; what netty
refuses ends the thread that reads the worker's answers, and all requests of the batch with it; and headers
about the framing make an answer that clients read in two ways. All other answers would suffer for one.
"""

import operator
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from ts.context import RequestProcessor

_CONTENT_TYPE = "content-type"
# TorchServe's mark of an answer whose parts are sent one by one (`ts/protocol/otf_message_handler.py`).
_MORE_PARTS = "ts_stream_next"
# Those that say where an answer ends and what becomes of its connection: the server's own (RFC 9110, 7.6.1).
_SERVERS_OWN = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# A token (RFC 9110, section 5.6.2).
_NAME_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_TEXT_CHARACTERS = frozenset(map(chr, range(0x20, 0x7F))) | {"\t"}
_STATUSES = range(200, 600)
# Most clients read 8 kB of status line and headers, and some 100 headers; the server adds its own to these.
MOST_HEADERS = 64
MOST_BYTES = 7000
_LONGEST_NAME_SHOWN = 80


class UnusableHeadError(Exception):
    """The handler's mistake; the message names the header and quotes no value."""


class AnswerHead(RequestProcessor):  # type: ignore[misc]  # ts has no types
    """What a handler sets for one answer; reading it checks it, so that TorchServe never sends it unchecked.

    Args:
        received: TorchServe's own object for the request, with the headers that the client sent.
    """

    def __init__(self, received: RequestProcessor) -> None:
        super().__init__(received.get_request_properties())
        self.has_streamed = False  # whether a part of the answer has been sent

    def note_sent_part(self) -> None:
        """Called when parts are sent, of this answer if it has TorchServe's mark."""
        self.has_streamed |= _MORE_PARTS in self._response_header

    @property
    def tells_an_error(self) -> bool:
        """Whether the handler has set the status of an error; what it returns is the message then."""
        return isinstance(self._status_code, int) and self._status_code >= HTTPStatus.BAD_REQUEST

    def get_response_status_code(self) -> int:
        """The status, from 200 to 599; None counts as 200, as in TorchServe.

        Raises:
            UnusableHeadError: It is something else. 1xx would announce another answer.
        """
        code = self._status_code
        try:
            number = 200 if code is None else operator.index(code)
        except TypeError:
            number = 0
        if isinstance(code, bool) or number not in _STATUSES:
            raise UnusableHeadError(
                f"the handler set a status that is not accepted, {_shown(code)}; "
                "whole numbers from 200 to 599 are"
            )
        return number

    def get_response_status_phrase(self) -> str:
        """The words behind the status.

        Raises:
            UnusableHeadError: They are no text, or have characters that are not accepted.
        """
        phrase = self._reason_phrase
        return "" if phrase is None else _checked_text(phrase, "reason phrase of its status")

    def get_response_headers(self) -> dict[str, str]:
        """The headers, with numbers as text.

        Raises:
            UnusableHeadError: A name or a value is not accepted, or they are too many or too long.
        """
        headers = self._response_header
        for name, value in headers.items():
            _check_name(name)
            headers[name] = _checked_text(value, f"header {name[:_LONGEST_NAME_SHOWN]!r}")
        size = len(self.get_response_status_phrase()) + sum(
            len(name) + len(value) + len(": \r\n") for name, value in headers.items()
        )
        if len(headers) > MOST_HEADERS or size > MOST_BYTES:
            raise UnusableHeadError(
                f"the handler set {len(headers)} headers of {size} bytes together; "
                f"{MOST_HEADERS} of {MOST_BYTES} bytes are accepted"
            )
        return headers

    def complete(self, content_type: str) -> None:
        """Check all of it, and set the content type in place of what the handler calls it.

        Raises:
            UnusableHeadError: Something of it is not accepted.
        """
        self.get_response_status_code()
        headers = self.get_response_headers()
        if _MORE_PARTS in headers and not self.has_streamed:
            raise UnusableHeadError(f"the handler set the header {_MORE_PARTS!r}, which is TorchServe's own")
        for name in [name for name in headers if name.lower() == _CONTENT_TYPE]:
            del headers[name]
        headers[_CONTENT_TYPE] = content_type
        self.get_response_headers()  # still within the limits

    def clear(self) -> None:
        """Forget what the handler set, but for TorchServe's mark that parts of the answer have been sent."""
        self.report_status(200)
        self._response_header = {_MORE_PARTS: "true"} if self.has_streamed else {}


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name or not _NAME_CHARACTERS.issuperset(name):
        raise UnusableHeadError(
            f"the handler set a header with a name that is not accepted, {_shown(name)}; letters, digits and "
            "!#$%&'*+-.^_`|~ are"
        )
    if name.lower() in _SERVERS_OWN:
        raise UnusableHeadError(f"the handler set the header {name!r}, which is the server's own to set")


def _checked_text(value: Any, what: str) -> str:
    """A number as text; text as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UnusableHeadError(
            f"the handler set the {what} to {_a(type(value).__name__)}; text and numbers are accepted"
        )
    if not _TEXT_CHARACTERS.issuperset(value):
        position = _first_other(value, _TEXT_CHARACTERS)
        raise UnusableHeadError(
            f"the handler set the {what} to a text with the character U+{ord(value[position]):04X} at "
            f"{position}; tabs and the ASCII characters from space to ~ are accepted"
        )
    return value


def _first_other(text: str, accepted: Iterable[str]) -> int:
    return next(position for position, character in enumerate(text) if character not in accepted)


def _a(kind: str) -> str:
    return "None" if kind == "NoneType" else f"a value of type {kind}"


def _shown(value: Any) -> str:
    """A name or a status in a message: cut, ASCII, and of another type only that."""
    if isinstance(value, str):
        return ascii(value[:_LONGEST_NAME_SHOWN])
    if isinstance(value, int):
        return str(value) if abs(value) < 10**9 else "a number with more than nine digits"
    return _a(type(value).__name__)
