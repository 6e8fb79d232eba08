"""Requests that will take long are handed back to be begun later, where the server can do that.

A request to write many tokens looks as small as any other until it is read. Our server takes it back then,
and begins it as it begins large ones: apart from small ones, and never on all workers while small ones come
(docs/decisions/0038).
"""

import os
from typing import Any

from hf_handler.schema import Refused

# The header with which it is handed back, and with which our server sends it again.
COSTLY = "x-vts-costly"
# The worker's process has it where the server takes requests back (envelope/direct_connection.py).
TAKES_BACK = "VTS_TAKES_BACK"
# Tokens to write, times the rows that this takes: some tenths of a second for the smallest models.
MOST_TOKENS = 128


class Postponed(Refused):
    """The request has not been begun."""

    def __init__(self) -> None:
        super().__init__("the server has not taken the request back that will take long", 503)


def may_postpone(processor: Any) -> bool:
    """Return whether a request can be handed back: the server takes it, and it has not been before.

    Args:
        processor: TorchServe's `RequestProcessor`, which has the request's headers; None where there is none.
    """
    return (
        TAKES_BACK in os.environ and processor is not None and processor.get_request_property(COSTLY) is None
    )
