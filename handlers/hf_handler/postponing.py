"""Requests that take long, handed back to the server to be begun later, or told of (costly.py)."""

from typing import Any

from hf_handler.costly import COSTLY, HANDED_BACK, TOLD
from hf_handler.items import Query
from hf_handler.schema import Refused


class Postponed(Refused):
    """The request is handed back, and has not been begun."""

    def __init__(self) -> None:
        super().__init__("the server has not taken back a request that will take long", 503)


def tell_costly(query: Query, context: Any) -> None:
    """Say by a header of the answer that its request takes long, where the server wants to know.

    Args:
        query: Planned.
        context: TorchServe's.
    """
    if query.allowance.tells_costly():
        context.set_response_header(query.request, COSTLY, TOLD)


def hand_back(query: Query, context: Any) -> None:
    """Say by a header that its request has not been begun; what else is answered, nobody reads.

    Args:
        query: Postponed.
        context: TorchServe's.
    """
    context.set_response_header(query.request, COSTLY, HANDED_BACK)
    query.failure = query.prediction = query.reply = None
    query.parts = ()
