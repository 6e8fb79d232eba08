"""Names, ids and times of resources, and the request a handler gets."""

import secrets
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vertex_torchserve.emulator.rpc_status import invalid

Json = dict[str, Any]

_NAME_SEGMENTS = 6


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
        body: The JSON body; empty when there is none.
        query: The query parameters.
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


def project_number(project: str) -> str:
    """The number of a project: Vertex AI answers with it in every name.

    The emulator's own rule: twelve digits made from the project's id; a number is its own.
    """
    return project if project.isdecimal() else str(100_000_000_000 + zlib.crc32(project.encode()))


def canonical_name(name: str, collection: str) -> tuple[str, str | None]:
    """The name with the project's number, and what stood behind its `@` (version id or alias).

    Args:
        name: `projects/P/locations/L/<collection>/ID`, P being id or number, perhaps with `@version`.
        collection: `models` or `endpoints`.

    Raises:
        RpcError: INVALID_ARGUMENT when the name is not of that form.
    """
    bare, _, version = name.partition("@")
    parts = bare.split("/")
    if len(parts) != _NAME_SEGMENTS or parts[0::2] != ["projects", "locations", collection] or not parts[5]:
        raise invalid(f"{name!r} is not a name; projects/P/locations/L/{collection}/ID is accepted.")
    parts[1] = project_number(parts[1])
    return "/".join(parts), version or None


def resource_id(name: str) -> str:
    """The last segment of a name, without a version behind it."""
    return name.rpartition("/")[2].partition("@")[0]


def new_id() -> str:
    """An id as Vertex AI makes them: up to 19 digits, never in use."""
    return str(10**18 + secrets.randbelow(9 * 10**18))


def now() -> str:
    """This moment as the API writes it: RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def camel_case(field: str) -> str:
    """A field as JSON writes it; clients may send `display_name` or `displayName`."""
    first, *others = field.strip().split("_")
    return first + "".join(word.title() for word in others)
