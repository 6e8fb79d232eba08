"""Ids of models that a client chooses: `UploadModelRequest.model_id` in the API's type documentation."""

import re
from collections.abc import Iterator

from vertex_torchserve.errors import Problem

_MODEL_ID = re.compile(r"[a-z_][a-z0-9_-]{0,62}")


def model_id_problems(value: object) -> Iterator[Problem]:
    """Why Vertex AI would refuse an id: up to 63 of `[a-z0-9_-]`, the first neither digit nor hyphen."""
    if not (isinstance(value, str) and _MODEL_ID.fullmatch(value)):
        yield Problem(
            f"model_id {value!r}: up to 63 of [a-z0-9_-] are accepted, not starting with a digit or hyphen",
            "choose another id, such as `my-model`",
        )
