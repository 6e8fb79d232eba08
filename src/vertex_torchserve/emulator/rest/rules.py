"""What the server refuses in a request. docs/emulator.md says which rules are documented.

Display names, model ids, aliases and labels are those of `resource_rules`, which this project's own uploads
obey too; rules that only the server needs stand here.
"""

import re
from collections.abc import Iterable, Mapping

from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import invalid
from vertex_torchserve.errors import Problem
from vertex_torchserve.resource_rules.display_names import display_name_problems
from vertex_torchserve.resource_rules.labels import label_problems
from vertex_torchserve.resource_rules.model_ids import model_id_problems
from vertex_torchserve.resource_rules.version_aliases import version_alias_problems

# CreateEndpointRequest.endpoint_id and DeployedModel.id, as the API's own type documentation words them.
_ENDPOINT_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}")
_DEPLOYED_MODEL_ID = re.compile(r"[0-9]{1,10}")


def refuse(problems: Iterable[str]) -> None:
    """Raise one error that names everything wrong, or return when nothing is.

    Raises:
        RpcError: INVALID_ARGUMENT when there is a problem.
    """
    found = list(problems)
    if found:
        raise invalid(" ".join(found))


def display_name(value: object) -> Iterable[str]:
    """1 to 128 characters."""
    return _sentences(display_name_problems(value))


def model_id(value: str) -> Iterable[str]:
    """Up to 63 of `[a-z0-9_-]`, the first neither digit nor hyphen."""
    return _sentences(model_id_problems(value))


def endpoint_id(value: str) -> Iterable[str]:
    """A name of up to 63 characters, or a number of up to 9 digits."""
    if not _ENDPOINT_ID.fullmatch(value):
        yield f"endpoint_id {value!r}: up to 63 of [a-z0-9-] from a letter on or up to 9 digits are accepted."


def deployed_model_id(value: str) -> Iterable[str]:
    """1 to 10 digits."""
    if not _DEPLOYED_MODEL_ID.fullmatch(value):
        yield f"deployed model id {value!r}: 1 to 10 digits are accepted."


def aliases(values: Iterable[object]) -> Iterable[str]:
    """Each a word that can't be taken for a version id."""
    return _sentences(version_alias_problems(values))


def labels(values: Mapping[str, object]) -> Iterable[str]:
    """Up to 64 of up to 63 characters and 127 bytes."""
    return _sentences(label_problems(values))


def container(spec: Json) -> Iterable[str]:
    """An image, ports from 1 to 65535, routes that start with a slash."""
    if not spec.get("imageUri"):
        yield "container_spec.image_uri is required."
    for port in spec.get("ports", []):
        number = port.get("containerPort", 0)
        if not isinstance(number, int) or not 0 < number < 65536:
            yield f"container port {number!r}: 1 to 65535 are accepted."
    for variable in spec.get("env", []):
        if not variable.get("name"):
            yield "container_spec.env: each variable needs a name."
    for field in ("predictRoute", "healthRoute"):
        route = spec.get(field, "/")
        if not route.startswith("/"):
            yield f"container_spec.{field} {route!r} does not start with '/'."


def _sentences(problems: Iterable[Problem]) -> Iterable[str]:
    return [f"{problem.message}." for problem in problems]
