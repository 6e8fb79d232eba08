"""Aliases of model versions.

`version_aliases` of Model (google/cloud/aiplatform_v1/types/model.py): "The format is
[a-z][a-zA-Z0-9-]{0,126}[a-z0-9] to distinguish from version_id".
"""

import re
from collections.abc import Iterable, Iterator

from vertex_torchserve.errors import Problem

_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")


def version_alias_problems(aliases: Iterable[object]) -> Iterator[Problem]:
    """Why Vertex AI would refuse each of these aliases."""
    for alias in aliases:
        if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
            yield Problem(
                f"version alias {alias!r} is refused by Vertex AI, which accepts 2 to 128 letters, digits "
                "and `-` (no dots or underscores), a lowercase letter first, no capital and no `-` last",
                "write `v1-0` for `v1.0`",
            )
