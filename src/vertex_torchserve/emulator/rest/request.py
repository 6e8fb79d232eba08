"""The request that a method of the REST interface gets, and what it may answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vertex_torchserve.emulator.rest.rpc_status import invalid

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A container's answer, passed on as it came: status, body (whole, or piece by piece) and headers."""

    status: int
    body: bytes | Iterator[bytes]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One call of the REST interface.

    Attributes:
        parent: `projects/NUMBER/locations/LOCATION`, with the project's number whatever the client wrote.
        ids: The ids in the path, outermost first.
        body: What came in the JSON body, as `message_types.py` writes it; empty when there is none.
        query: The request's message as a whole: what came in the query stands beside the body's field.
        raw_body: The body as it came.
        headers: The request's headers; their names may be asked for in any case.
    """

    parent: str
    ids: tuple[str, ...]
    body: Json
    query: Json
    raw_body: bytes
    headers: Mapping[str, str]

    def update_mask(self) -> list[str]:
        """The fields of `updateMask`, as JSON names them.

        Raises:
            RpcError: INVALID_ARGUMENT when there is none.
        """
        fields = [field for field in self.query.get("updateMask", "").split(",") if field]
        if not fields:
            raise invalid("updateMask is required: name the fields to update.")
        return fields


Handler = Callable[[Request], Json | Answer]
Routes = dict[tuple[str, str], Handler]
