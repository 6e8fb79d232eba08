"""One archive, and a request."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.archive_faults.making import Files, archive_of


@dataclass(frozen=True)
class Ask:
    """A request as a client of TorchServe sends it.

    Attributes:
        body: Its bytes.
        content_type: Of the body.
    """

    body: bytes
    content_type: str = "application/json"

    @classmethod
    def json(cls, value: Any) -> "Ask":
        """The request with a value as JSON."""
        return cls(json.dumps(value).encode())


@dataclass(frozen=True)
class Case:
    """An archive of somebody's.

    Attributes:
        name: What it is.
        source: Where such archives come from: `fixture`, `example` or `archiver`.
        make: Writes the archive into a folder and gives its path: a .mar, a .tar.gz or a folder.
        ask: The request.
        instance: The same as an instance of Vertex AI's contract.
        envelope: TorchServe's own envelope that such archives are served with; None: without.
        difference: What our envelope changes about the answer, as images/README.md says.
    """

    name: str
    source: str
    make: Callable[[Path], Path]
    ask: Ask
    instance: Any
    envelope: str | None = None
    difference: str = ""


def written(
    folder: Path, source: str | None, files: Files | None = None, config: str = "", **manifest: str
) -> Path:
    """Write `model.mar` into a folder.

    Args:
        folder: Made when it is missing.
        source: Of its `handler.py`; None: it has none.
        files: What else is in it.
        config: Its `model-config.yaml`; empty: it has none.
        manifest: Laid over what its manifest says of the model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.mar"
    path.write_bytes(archive_of(source, files, config, **manifest)())
    return path
