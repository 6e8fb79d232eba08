"""The request that a method of the REST interface gets, and what it may answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vertex_torchserve.emulator.rest.names import camel_case
from vertex_torchserve.emulator.rest.rpc_status import invalid

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An answer that is passed on as it came: status, body and headers of a container."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One call of the REST interface.

    Attributes:
        parent: `projects/NUMBER/locations/LOCATION`, with the project's number whatever the client wrote.
        ids: The ids in the path, outermost first.
        body: The JSON body, each field of the type that the API gives it; empty when there is none.
        query: The query parameters, their names in camelCase.
        raw_body: The body as it came.
        content_type: The body's content type.
    """

    parent: str
    ids: tuple[str, ...]
    body: Json
    query: Mapping[str, str]
    raw_body: bytes
    content_type: str

    def update_mask(self) -> list[str]:
        """The fields of `updateMask`, in camelCase.

        Raises:
            RpcError: INVALID_ARGUMENT when there is none.
        """
        fields = [camel_case(field) for field in self.query.get("updateMask", "").split(",") if field]
        if not fields:
            raise invalid("updateMask is required: name the fields to update.")
        return fields


Handler = Callable[[Request], Json | Answer]
Routes = dict[tuple[str, str], Handler]
