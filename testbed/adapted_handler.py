"""Handlers of other servers, packaged, and loaded by TorchServe's loader behind our envelope."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed.foreign_handlers import SCRIPT, Case, torchscript
from testbed.loaded_handler import HANDLERS, load
from vertex_torchserve.model_archive import BuiltArchive, ModelArchiveSpec, build_model_archive
from vertex_torchserve.packaged_files import ADAPTER_FILES
from vertex_torchserve.serving.archive.source import LocalArchive
from vertex_torchserve.serving.archive.unpacking import unpack_archive
from vertex_torchserve.serving.envelope.model_service_worker import register_envelope


def write_model_folder(case: Case, folder: Path) -> Path:
    """Write the files of a case."""
    for name, content in case.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        made = torchscript() if content == SCRIPT else content
        file.write_bytes(made.encode() if isinstance(made, str) else made)
    return folder


def package(case: Case, folder: Path, config: Path | None = None) -> BuiltArchive:
    """Package a case as `vertex-torchserve package` does."""
    spec = ModelArchiveSpec(
        write_model_folder(case, folder / "model"), handler=case.handler, config_file=config
    )
    return build_model_archive(spec, folder / "archive")


@contextmanager
def loaded(case: Case, folder: Path, envelope: str = "instances") -> Iterator[Any]:
    """Package and load a case; gives what `testbed.loaded_handler.load` does."""
    register_envelope()
    built = package(case, folder)
    unpacked = unpack_archive(LocalArchive(built.mar_path), folder / "unpacked").path
    kind = case.handler.partition(":")[0]
    path, modules = list(sys.path), set(sys.modules)
    with pytest.MonkeyPatch.context() as environment, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".torch.jit", DeprecationWarning)  # what these handlers load
        environment.syspath_prepend(str(HANDLERS))
        try:
            yield load(unpacked, envelope=envelope, handler=ADAPTER_FILES[kind])
        finally:
            sys.path[:] = path
            for name in {"handler", "inference", "pipeline"} & (set(sys.modules) - modules):
                del sys.modules[name]


def answer(case: Case, folder: Path) -> tuple[int, Any]:
    """Status and body of the answer to a case's request."""
    with loaded(case, folder) as send:
        sent = send(case.body(), content_type=case.content_type)
    return sent.statuses[0], sent.answers[0]
