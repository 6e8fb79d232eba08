"""Names, ids, times and fields of resources, as the API writes them."""

import secrets
import zlib
from datetime import UTC, datetime

from vertex_torchserve.emulator.rest.rpc_status import invalid

_NAME_SEGMENTS = 6


def project_number(project: str) -> str:
    """The number of a project: Vertex AI answers with it in every name.

    The emulator makes up twelve digits from the project's id; a number stays as it is.
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
    """A random id of 19 digits, as Vertex AI makes them."""
    return str(10**18 + secrets.randbelow(9 * 10**18))


def now() -> str:
    """This moment as the API writes it: RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def camel_case(field: str) -> str:
    """A field as JSON writes it; clients may send `display_name` or `displayName`."""
    first, *others = field.strip().split("_")
    return first + "".join(word.title() for word in others)
