"""What the server refuses, whoever asks. docs/emulator.md says which rules are documented."""

import re
from collections.abc import Iterable

from vertex_torchserve.emulator.resources import Json
from vertex_torchserve.emulator.rpc_status import invalid

# UploadModelRequest.model_id, Model.version_aliases, CreateEndpointRequest.endpoint_id and
# DeployedModel.id, as the API's own type documentation words them.
_MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
_ENDPOINT_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}")
_DEPLOYED_MODEL_ID = re.compile(r"[0-9]{1,10}")

_LONGEST_NAME = 128
_LONGEST_LABEL = 64
_MOST_LABELS = 64


def refuse(problems: Iterable[str]) -> None:
    """Say everything that is wrong at once.

    Raises:
        RpcError: INVALID_ARGUMENT when there is a problem.
    """
    found = list(problems)
    if found:
        raise invalid(" ".join(found))


def display_name(value: str) -> Iterable[str]:
    """1 to 128 characters."""
    if not 1 <= len(value) <= _LONGEST_NAME:
        yield f"display_name has {len(value)} characters; 1 to {_LONGEST_NAME} are accepted."


def model_id(value: str) -> Iterable[str]:
    """Up to 63 of `[a-z0-9_-]`, the first neither digit nor hyphen."""
    if not _MODEL_ID.fullmatch(value):
        yield f"model_id {value!r}: up to 63 of [a-z0-9_-] are accepted, not starting with a digit or hyphen."


def endpoint_id(value: str) -> Iterable[str]:
    """A name of up to 63 characters, or a number of up to 9 digits."""
    if not _ENDPOINT_ID.fullmatch(value):
        yield f"endpoint_id {value!r}: up to 63 of [a-z0-9-] from a letter on or up to 9 digits are accepted."


def deployed_model_id(value: str) -> Iterable[str]:
    """1 to 10 digits."""
    if not _DEPLOYED_MODEL_ID.fullmatch(value):
        yield f"deployed model id {value!r}: 1 to 10 digits are accepted."


def aliases(values: Iterable[str]) -> Iterable[str]:
    """Each a word that can't be taken for a version id."""
    for value in values:
        if not _ALIAS.fullmatch(value):
            yield f"version alias {value!r} does not match {_ALIAS.pattern}."


def labels(values: dict[str, str]) -> Iterable[str]:
    """Lowercase letters, digits, `_` and `-`; keys start with a letter; up to 64 of up to 64 characters."""
    if len(values) > _MOST_LABELS:
        yield f"{len(values)} labels; {_MOST_LABELS} are accepted."
    for key, value in values.items():
        if not key[:1].isalpha() or not _label_text(key):
            yield (
                f"label key {key!r}: up to {_LONGEST_LABEL} lowercase letters, digits, _ and - are accepted, "
                "starting with a letter."
            )
        if not _label_text(value):
            yield (
                f"label value {value!r}: up to {_LONGEST_LABEL} lowercase letters, digits, _ and - "
                "are accepted."
            )


def container(spec: Json) -> Iterable[str]:
    """An image, ports from 1 to 65535, routes that start with a slash."""
    if not spec.get("imageUri"):
        yield "container_spec.image_uri is required."
    for port in spec.get("ports", []):
        number = port.get("containerPort", 0)
        if not isinstance(number, int) or not 0 < number < 65536:
            yield f"container port {number!r}: 1 to 65535 are accepted."
    for field in ("predictRoute", "healthRoute"):
        route = spec.get(field, "/")
        if not route.startswith("/"):
            yield f"container_spec.{field} {route!r} does not start with '/'."


def _label_text(text: str) -> bool:
    return len(text) <= _LONGEST_LABEL and all(
        character in "_-" or (character.isalnum() and not character.isupper()) for character in text
    )
