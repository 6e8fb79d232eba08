"""Each parser of what an archive brings, as a function of bytes: what fuzzing and property tests feed.

An `InputError` is an answer, so it is caught here; whatever else comes out of a parser is a fault.
"""

import contextlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from testbed.archive_faults import FAULTS
from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.golden_request import parse_golden_request
from vertex_torchserve.serving.archive.manifest import read_index
from vertex_torchserve.serving.archive.member_names import MANIFEST_NAME
from vertex_torchserve.serving.archive.model_config import parse_model_config
from vertex_torchserve.serving.archive.source import LocalArchive
from vertex_torchserve.serving.archive.unpacking import unpack_archive


def manifest(text: bytes) -> None:
    """A manifest, in an archive with one handler."""
    with contextlib.suppress(InputError):
        read_index(io.BytesIO(_archive(text)), "model.mar")


def model_config(text: bytes) -> None:
    """A model-config.yaml, and what is written for TorchServe in its place."""
    with contextlib.suppress(InputError):
        config = parse_model_config(text, "model-config.yaml")
        config.written({"minWorkers": config.workers or 1, "batchSize": config.batch_size or 1})


def golden_request(text: bytes) -> None:
    """A golden-request.json, its requests, and an answer compared with itself."""
    with contextlib.suppress(InputError):
        for golden in parse_golden_request(text).requests:
            golden.body()
            golden.difference(json.dumps({"predictions": golden.predictions or golden.instances}).encode())
            golden.difference(text)


def archive(content: bytes) -> None:
    """A whole archive, unpacked."""
    with tempfile.TemporaryDirectory(prefix="vts-") as folder, contextlib.suppress(InputError):
        file = Path(folder) / "model.mar"
        file.write_bytes(content)
        unpack_archive(LocalArchive(file), Path(folder) / "model")


def check(content: bytes) -> None:
    """A whole archive, checked: whatever it holds, findings come out."""
    with tempfile.TemporaryDirectory(prefix="vts-") as folder:
        file = Path(folder) / "model.mar"
        file.write_bytes(content)
        for each in check_path(str(file)).findings:
            assert each.message
            assert each.fix


PARSERS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (manifest, model_config, golden_request, archive, check)
}
MANIFEST = (
    b'{"runtime": "python", "model": {"modelName": "m", "modelVersion": "1.0", "handler": "handler.py"}}'
)


def _archive(text: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr(MANIFEST_NAME, text)
        written.writestr("handler.py", "def handle(data, context): ...\n")
    return content.getvalue()


SAMPLES: dict[str, tuple[bytes, ...]] = {
    "manifest": (MANIFEST, b'{"model": {"modelName": null, "handler": [1e400, -0.5, "\\ud800"]}}'),
    "model_config": (
        b"minWorkers: 1\nmaxWorkers: 2\nhandler: {a: &a [1, 2.5, null, on], b: *a, <<: {c: 2001-01-01}}\n",
        b'a: !!int "0x1F"\nb: !!float 1:30.5\nc: !!binary AA==\nd: !!set {x}\ne: "\\U0001F600"\nf: |\n  t',
    ),
    "golden_request": (
        b'{"instances": [{"a": [1, -2.5e3, null]}], "parameters": {"b": true}, "predictions": [[0.5]]}',
        b'{"instances": [1], "predictions": [{"label": "x", "score": 0.5}], "tolerance": 0.1}',
    ),
    "archive": (_archive(MANIFEST),),
    "check": tuple(content for fault in FAULTS if len(content := fault.content()) <= 8192),
}
"""For each parser texts that it reads, to begin from."""
