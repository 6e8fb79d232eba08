"""Small model folders and archives, written by hand: what a user would have, in a second."""

import json
import zipfile
from pathlib import Path

ECHO_HANDLER = """\
def handle(data, context):
    return None if data is None else [{"echo": instance} for instance in data]
"""
BROKEN_HANDLER = """\
class Handler:
    def initialize(self, context):
        raise ValueError("the weights are of another model")

    def handle(self, data, context):
        return data
"""
SHORT_HANDLER = """\
def handle(data, context):
    return None if data is None else data[:-1]
"""
RAISING_HANDLER = """\
def handle(data, context):
    if data is not None:
        raise KeyError("vocabulary")
"""


def model_folder(root: Path) -> Path:
    """A model folder with a sub-folder: weights, configuration, a left-over of training."""
    folder = root / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (folder / "training.log").write_text("epoch 1\n")
    return folder


def write_handler(root: Path, source: str = ECHO_HANDLER, name: str = "handler.py") -> Path:
    """A handler file."""
    root.mkdir(parents=True, exist_ok=True)
    path = root / name
    path.write_text(source)
    return path


def write_archive(root: Path, handler: str = ECHO_HANDLER, **manifest: str) -> Path:
    """`model.mar` with one handler, as torch-model-archiver would write it."""
    root.mkdir(parents=True, exist_ok=True)
    model = {"modelName": "model", "modelVersion": "1.0", "handler": "handler.py", **manifest}
    with zipfile.ZipFile(root / "model.mar", "w") as archive:
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({"runtime": "python", "model": model}))
        archive.writestr("handler.py", handler)
    return root / "model.mar"
