"""The archives that TorchServe's own tests serve, written anew: what each of them is there to try."""

import json
import zipfile
from pathlib import Path

from tests.model_folders import wheels

from .case import Ask, Case, written

# A module-level `handle` that makes its one object when it is first called.
NOOP = """\
class Noop:
    def handle(self, data, context):
        context.set_response_content_type(0, "text/plain")
        context.metrics.add_time("NoopTime", 1.0)
        return ["OK"] * len(data)


_noop = Noop()


def handle(data, context):
    return None if data is None else _noop.handle(data, context)
"""
ECHO = """\
class Echo:
    def initialize(self, context):
        self.version = context.manifest["model"]["modelVersion"]

    def handle(self, data, context):
        return [{"asked": row.get("body") or row.get("data"), "version": self.version} for row in data]
"""
HEADERS = """\
def handle(data, context):
    if data is not None:
        context.set_response_header(0, "x-answered-by", "a handler")
        return ["OK"]
"""
PREDICTION_EXCEPTION = """\
from ts.utils.util import PredictionException


def handle(data, context):
    if data is not None:
        raise PredictionException("the picture is too small", 599)
"""
RUNTIME_ERROR = """\
def handle(data, context):
    if data is not None:
        raise RuntimeError("no prediction today")
"""
ERROR_AT_START = """\
class Handler:
    def initialize(self, context):
        raise ValueError("the vocabulary is empty")

    def handle(self, data, context):
        return data
"""
MEMORY_AT_START = """\
class Handler:
    def initialize(self, context):
        raise MemoryError("the model does not fit")

    def handle(self, data, context):
        return data
"""
NAMED_FUNCTION = """\
def infer(data, context):
    return None if data is None else ["by name"] * len(data)
"""
PLURAL = """\
import plurals


def handle(data, context):
    return None if data is None else [plurals.plural("cat")] * len(data)
"""


def _with_wheel(folder: Path) -> Path:
    files = {"plurals-1.0-py3-none-any.whl": wheels().popitem()[1]}
    files["requirements.txt"] = b"./plurals-1.0-py3-none-any.whl\n"
    return written(folder, PLURAL, files, requirementsFile="requirements.txt")


def _with_missing_requirement(folder: Path) -> Path:
    files = {"requirements.txt": "--no-index\nno-such-package==1.0\n"}
    return written(folder, NOOP, files, requirementsFile="requirements.txt")


def _without_manifest(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("handler.py", NOOP)
    return path


def _unpacked(folder: Path) -> Path:
    root = folder / "model"
    (root / "MAR-INF").mkdir(parents=True)
    model = {"modelName": "model", "handler": "handler.py"}  # and no version
    (root / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"runtime": "python", "model": model}))
    (root / "handler.py").write_text(NOOP)
    return root


_OBJECT = {"words": ["a", "b"]}
FIXTURE_CASES = (
    Case("noop", "fixture", lambda folder: written(folder, NOOP), Ask.json(_OBJECT), _OBJECT),
    Case("echo", "fixture", lambda folder: written(folder, ECHO), Ask.json(_OBJECT), {"body": _OBJECT}),
    Case(
        "echo, a text", "fixture", lambda folder: written(folder, ECHO),
        Ask.json("a text"), {"data": "a text"},
    ),
    Case("response header", "fixture", lambda folder: written(folder, HEADERS), Ask.json(1), 1),
    Case(
        "status by an exception", "fixture",
        lambda folder: written(folder, PREDICTION_EXCEPTION), Ask.json(1), 1,
    ),
    Case("exception", "fixture", lambda folder: written(folder, RUNTIME_ERROR), Ask.json(1), 1),
    Case(
        "exception at the start", "fixture",
        lambda folder: written(folder, ERROR_AT_START), Ask.json(1), 1,
    ),
    Case(
        "out of memory at the start", "fixture",
        lambda folder: written(folder, MEMORY_AT_START), Ask.json(1), 1,
    ),
    Case(
        "handler.py:infer", "fixture",
        lambda folder: written(folder, NAMED_FUNCTION, handler="handler.py:infer"), Ask.json(1), 1,
    ),
    Case("a wheel among its files", "fixture", _with_wheel, Ask.json(1), 1),
    Case("a requirement that is nowhere", "fixture", _with_missing_requirement, Ask.json(1), 1),
    Case("no manifest", "fixture", _without_manifest, Ask.json(1), 1),
    Case("a folder without a version", "fixture", _unpacked, Ask.json(1), 1),
)  # fmt: skip
