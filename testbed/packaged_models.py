"""Models of the catalogue as `vertex-torchserve package` packs them, and as a server loads them."""

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

from testbed.loaded_handler import load
from testbed.tiny_models import CATALOGUE, make, samples
from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.archive.source import LocalArchive
from vertex_torchserve.serving.archive.unpacking import unpack_archive
from vertex_torchserve.serving.envelope.model_service_worker import register_envelope

# What these folders hold could as well be served for another task, so that `--task` says which is meant.
UNTOLD = frozenset(
    {
        "document-question-answering-donut",
        "sentence-similarity",
        "summarization",
        "text-ranking",
        "translation",
        "zero-shot-classification",
        "zero-shot-classification-bert",
    }
)
SAMPLING = frozenset({"image-text-to-text", "text-generation"})
WRITING = SAMPLING | {"image-to-text", "summarization", "text2text-generation", "translation"}


def package(name: str, folder: Path) -> Path:
    """Make a model of the catalogue and package its folder with the reference handler and no other file."""
    task = CATALOGUE[name].task if name in UNTOLD else None
    spec = ModelArchiveSpec(make(name, folder / "model"), handler="huggingface", task=task)
    return build_model_archive(spec, folder / "archive").mar_path


def parameters(name: str) -> dict[str, Any]:
    """What a model is asked with: what its samples need, a few tokens only, the same every time."""
    task = CATALOGUE[name].task.split("_")[0]
    brief = {"max_new_tokens": 8} if task in WRITING else {}
    always = {"do_sample": False} if task in SAMPLING else {}
    return {**CATALOGUE[name].parameters, **brief, **always}


def request(name: str) -> dict[str, Any]:
    """All samples of a model in one request."""
    chosen = parameters(name)
    return {"instances": samples(name), **({"parameters": chosen} if chosen else {})}


class Served:
    """An archive unpacked as the server does it and loaded by TorchServe's loader, behind our envelope."""

    def __init__(self, mar: Path, folder: Path) -> None:
        register_envelope()
        self.findings = tuple(each.rule for each in check_path(str(mar)).findings)
        self.folder = unpack_archive(LocalArchive(mar), folder).path
        self._send = load(self.folder, envelope="instances")

    @property
    def task(self) -> str:
        """The name of the task it was loaded for."""
        return str(self._send.service.context.huggingface.task.name)

    def answer(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and body of the answer to one request."""
        sent = self._send(json.dumps(body).encode())
        return sent.statuses[0], sent.answers[0]


@functools.cache
def served(name: str) -> Served:
    """The same archive for every test of a process; its folder is gone once it is loaded."""
    with tempfile.TemporaryDirectory(prefix="vts-") as folder:
        return Served(package(name, Path(folder)), Path(folder, "unpacked"))
