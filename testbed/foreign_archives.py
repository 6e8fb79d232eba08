"""Archives as torch-model-archiver 0.1.1, 0.6.0 and 0.12.0 wrote them: their members, in their order, and
manifests.

Written down from what each version made of the same files.
"""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from testbed.archive_faults import SCRIPT, STATE_DICT
from testbed.archives import ECHO_HANDLER

_CLASS_HANDLER = """\
import logging

import torch
from ts.torch_handler.base_handler import BaseHandler

try:
    import intel_extension_for_pytorch
except ImportError:
    logging.info("without ipex")


class Classifier(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
"""
_MODEL_FILE = "import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n"
_OLD = {"modelServerVersion": "1.0", "implementationVersion": "1.0", "specificationVersion": "1.0"}
Members = Mapping[str, str | bytes]


def _manifest(version: str, **model: str) -> str:
    first = {} if version == "0.1.1" else {"createdOn": "25/11/2026 19:07:23"}
    last = _OLD if version == "0.1.1" else {"archiverVersion": version}
    return json.dumps(
        {**first, "runtime": "python", "model": {**model, "modelVersion": "1.0"}, **last}, indent=2
    )


def _deflated(members: Members, manifest: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
        archive.writestr("MAR-INF/", "")
        archive.writestr("MAR-INF/MANIFEST.json", manifest)
    return content.getvalue()


def _custom(version: str, handler: str, folder: Path) -> Path:
    members: Members = {
        "vocab.txt": "a\n",
        "ts.pt": SCRIPT,
        "index_to_name.json": "{}",
        "handler.py": handler,
    }
    manifest = _manifest(version, modelName="a", serializedFile="ts.pt", handler="handler.py")
    path = folder / "a.mar"
    path.write_bytes(_deflated(members, manifest))
    return path


def _eager(folder: Path) -> Path:
    members: Members = {"model.py": _MODEL_FILE, "requirements.txt": "numpy==2.4.6\n", "sd.pth": STATE_DICT}
    model = {"serializedFile": "sd.pth", "handler": "base_handler", "modelFile": "model.py"}
    manifest = _manifest("0.12.0", modelName="b", requirementsFile="requirements.txt", **model)
    path = folder / "b.mar"
    path.write_bytes(_deflated(members, manifest))
    return path


_CONFIGURED: Members = {
    "ts.pt": SCRIPT,
    "model-config.yaml": "minWorkers: 1\nmaxWorkers: 1\nlabels: [a, b]\n",
    "index_to_name.json": "{}",
    "handler.py": ECHO_HANDLER,
    "sub/vocab.txt": "a\n",
    "MAR-INF/MANIFEST.json": _manifest(
        "0.12.0", modelName="c", serializedFile="ts.pt", handler="handler.py", configFile="model-config.yaml"
    ),
}


def _tgz(folder: Path) -> Path:
    path = folder / "c.tar.gz"
    with gzip.open(path, "wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, member in _CONFIGURED.items():
            content = member.encode() if isinstance(member, str) else member
            info = tarfile.TarInfo(f"c/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _unpacked(folder: Path) -> Path:
    for name, member in _CONFIGURED.items():
        path = folder / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.encode() if isinstance(member, str) else member)
    return folder / "c"


# Each makes its archive in a folder and gives its path.
FOREIGN_ARCHIVES: Mapping[str, Callable[[Path], Path]] = {
    "0.1.1, a function": lambda folder: _custom("0.1.1", ECHO_HANDLER, folder),
    "0.6.0, a class": lambda folder: _custom("0.6.0", _CLASS_HANDLER, folder),
    "0.12.0, an eager model": _eager,
    "0.12.0, tgz": _tgz,
    "0.12.0, no-archive": _unpacked,
}
