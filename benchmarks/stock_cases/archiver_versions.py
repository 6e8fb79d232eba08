"""Archives as torch-model-archiver's versions write them."""

import zipfile
from pathlib import Path

from testbed.archives import rewrite_archive
from testbed.foreign_archives import FOREIGN_ARCHIVES

from .case import Ask, Case
from .examples import MODEL_FILE, state_dict, traced

# Their models are loaded, by TorchServe's own handler, which reads rows of numbers through the envelope.
_LOADED = ("0.6.0, a class", "0.12.0, an eager model")


def _with_a_model(name: str, folder: Path) -> Path:
    """The archive with weights in the place of a few bytes that only look like some."""
    made = folder / "made"
    made.mkdir()
    archive = FOREIGN_ARCHIVES[name](made)
    store = folder / "store"
    store.mkdir()
    weights = {"ts.pt": traced(), "sd.pth": state_dict(), "model.py": MODEL_FILE.encode()}
    with zipfile.ZipFile(archive) as packed:
        there = {name: content for name, content in weights.items() if name in packed.namelist()}
    rewrite_archive(archive, store / archive.name, there)
    return store / archive.name


def _case(name: str) -> Case:
    if name in _LOADED:
        rows = [1.0, 2.0]
        return Case(
            name, "archiver", lambda folder: _with_a_model(name, folder),
            Ask.json({"instances": [rows]}), rows, envelope="json",
        )  # fmt: skip
    return Case(name, "archiver", FOREIGN_ARCHIVES[name], Ask.json([1.0, 2.0]), {"body": [1.0, 2.0]})


ARCHIVER_CASES = tuple(_case(name) for name in FOREIGN_ARCHIVES)
