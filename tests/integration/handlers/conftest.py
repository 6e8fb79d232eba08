"""What the tests of the reference handler share; each file loads the handler anew."""

import importlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import HANDLERS, load
from tests.integration.handlers.handler_models import MINILM, save_bert


@pytest.fixture(scope="module", autouse=True)
def offline_environment() -> Iterator[None]:
    """Let `huggingface_handler` be imported by its bare name, and put back what importing it sets."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HF_HUB_OFFLINE", "1")
        environment.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        environment.syspath_prepend(str(HANDLERS))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # ts/__init__.py leaves its version.txt open
            importlib.import_module("ts")
        yield
    for name in [
        name for name in sys.modules if name.partition(".")[0] in {"huggingface_handler", "hf_handler"}
    ]:
        del sys.modules[name]


@pytest.fixture(scope="module", autouse=True)
def one_thread(offline_environment: None) -> Iterator[None]:
    """Tiny models gain nothing from more, and tests that run at the same time lose by it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def transformers() -> Any:
    import transformers

    return transformers


@pytest.fixture(scope="module")
def minilm() -> Any:
    return load(MINILM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, transformers: Any) -> Path:
    """A classifier of three labels; tests only read it."""
    folder = tmp_path_factory.mktemp("classifier")
    save_bert(transformers, folder, id2label={0: "bad", 1: "fair", 2: "good"})
    return folder


@pytest.fixture(scope="module")
def send(folder: Path) -> Any:
    """That classifier behind the json envelope."""
    return load(folder)


@pytest.fixture(scope="module")
def bare(folder: Path) -> Any:
    """The same without an envelope."""
    return load(folder, envelope=None)
