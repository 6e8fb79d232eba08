"""Ask the reference handler of an archive what it takes; its code runs in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vertex_torchserve.packaged_files import (
    REFERENCE_HANDLER_FILE,
    REFERENCE_HANDLER_PACKAGE,
    reference_handler,
)
from vertex_torchserve.serving.archive.manifest import Manifest, read_manifest
from vertex_torchserve.serving.archive.model_config import MOST_CONFIG_BYTES, parse_model_config
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest

_SECONDS = 300.0
# The handler chooses its task by files of these kinds, none of which is larger; other members stay packed.
_SUFFIXES = (".json", ".md")
_LARGEST_BYTES = 32 << 20
_PROGRAM = Path(__file__).with_name("program.py")

JsonSchema = Mapping[str, Any]


class UntoldError(Exception):
    """The handler can't tell what it takes; the text is why."""


@dataclass(frozen=True)
class HandlerInterface:
    """What the reference handler takes and answers for one archive.

    Attributes:
        task: Its task.
        example: An instance that every model of the task can answer.
        schemas: JSON Schemas of an `instance`, the `parameters` and a `prediction`.
        faults: A text for each request that it can't answer.
    """

    task: str
    example: Any
    schemas: Mapping[str, JsonSchema]
    faults: Sequence[str]


def ask_handler(mar_path: Path, requests: Sequence[PredictionRequest] = ()) -> HandlerInterface | None:
    """What an archive's handler takes; None where it is not, byte for byte, this release's reference handler.

    Other code is not run here.

    Args:
        mar_path: An archive that `read_manifest` accepts.
        requests: Which of them it can answer is told, too.

    Raises:
        UntoldError: A member can't be read, the settings can't be used, or the files tell no task.
        InputError: The manifest or model-config.yaml can't be used.
    """
    manifest = read_manifest(mar_path)
    with zipfile.ZipFile(mar_path) as archive, tempfile.TemporaryDirectory(prefix="vts-") as folder:
        try:
            if not _is_reference_handler(archive, manifest):
                return None
            for member in archive.infolist():
                if member.filename.endswith(_SUFFIXES) and member.file_size <= _LARGEST_BYTES:
                    archive.extract(member, folder)
            settings = _settings(archive, manifest)
        except (zipfile.BadZipFile, zlib.error, OSError) as error:
            raise UntoldError(f"{mar_path.name} can't be read: {error}") from error
        asked = {"settings": settings, "requests": [request.fields() for request in requests]}
        return HandlerInterface(**_answer(folder, json.dumps(asked)))


def _is_reference_handler(archive: zipfile.ZipFile, manifest: Manifest) -> bool:
    """Whether the archive holds this release's handler: each of its files, byte for byte, and no other."""
    files = reference_handler()
    prefix = f"{REFERENCE_HANDLER_PACKAGE}/"
    package = {name for name in archive.namelist() if name.startswith(prefix) and not name.endswith("/")}
    return (
        manifest.handler == REFERENCE_HANDLER_FILE
        and package | {REFERENCE_HANDLER_FILE} == set(files)
        and all(archive.read(name) == file.read_bytes() for name, file in files.items())
    )


def _answer(folder: str, asked: str) -> dict[str, Any]:
    handlers = reference_handler()[REFERENCE_HANDLER_FILE].parent
    try:
        run = subprocess.run(
            [sys.executable, "-P", str(_PROGRAM), folder],
            input=asked,
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
            env={**os.environ, "PYTHONPATH": str(handlers)},
        )
    except subprocess.CalledProcessError as error:
        raise UntoldError(
            (error.stderr.strip().splitlines() or [f"it ended with {error.returncode}"])[-1]
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UntoldError(f"no answer after {_SECONDS:g} s") from error
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def _settings(archive: zipfile.ZipFile, manifest: Manifest) -> Any:
    if manifest.config_file is None:
        return None
    with archive.open(manifest.config_file) as member:
        text = member.read(MOST_CONFIG_BYTES + 1)
    return parse_model_config(text, manifest.config_file).content.get("handler")
