"""Small model folders, handler files and wheels, written by hand: what a user would have, in a second."""

import io
import zipfile
from pathlib import Path

from testbed.archives import ECHO_HANDLER

# Needs the package of `wheels`; says which torch it finds, and where the package was installed.
PLURAL_HANDLER = """\
import plurals
import torch


def handle(data, context):
    if data is not None:
        return [[plurals.plural(word), torch.__version__, plurals.__file__] for word in data]
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


def wheels(requires: str = "", name: str = "plurals") -> dict[str, bytes]:
    """The folder `wheels` of an archive with one package of version 1.0, whose `plural` adds an s.

    Args:
        requires: What the package requires, such as `torch>=2`.
        name: The package's, and its module's.
    """
    module = "def plural(word):\n    return word + 's'\n"
    return {f"wheels/{name}-1.0-py3-none-any.whl": wheel(name, "1.0", "py3-none-any", requires, module)}


def wheel(name: str, version: str, tag: str = "py3-none-any", requires: str = "", module: str = "") -> bytes:
    """A wheel with one module.

    Args:
        name: The package's and the module's.
        version: The package's.
        tag: What it runs on, such as `cp311-cp311-manylinux_2_28_x86_64`.
        requires: What it requires, such as `torch>=2`.
        module: The module's source.
    """
    info = f"{name}-{version}.dist-info"
    requirement = f"Requires-Dist: {requires}\n" if requires else ""
    texts = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirement}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        for path, text in texts.items():
            written.writestr(zipfile.ZipInfo(path), text)  # of zip's earliest date: same text, same bytes
    return content.getvalue()
