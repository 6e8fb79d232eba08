"""How an archive with one fault is made."""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from typing import NamedTuple

from testbed.archives import ECHO_HANDLER
from vertex_torchserve.packaged_files import ADAPTER_FILES

Files = Mapping[str, str | bytes]


class Fault(NamedTuple):
    """An archive with one fault.

    Attributes:
        rule: The rule that finds it.
        severity: How bad that is.
        where: The member, and the line.
        said: A part of the message.
        content: Makes the archive's bytes.
    """

    rule: str
    severity: str
    where: str
    said: str
    content: Callable[[], bytes]


def archive_of(
    source: str | None = ECHO_HANDLER, files: Files | None = None, config: str = "", **manifest: str
) -> Callable[[], bytes]:
    """An archive.

    Args:
        source: Of its `handler.py`; None: it has none.
        files: What else is in it.
        config: Its `model-config.yaml`; empty: it has none.
        manifest: Laid over what its manifest says of the model.
    """
    members: dict[str, str | bytes] = {**({} if source is None else {"handler.py": source}), **(files or {})}
    model = {"modelName": "model", "modelVersion": "1.0", "handler": "handler.py"}
    if config:
        model["configFile"], members["model-config.yaml"] = "model-config.yaml", config
    text = json.dumps({"runtime": "python", "model": {**model, **manifest}})
    entries: Files = {"MAR-INF/MANIFEST.json": text, **members}
    return zipped([(entry(name), content) for name, content in entries.items()])


def reference_archive(files: Files, config: str = "", **manifest: str) -> Callable[[], bytes]:
    """An archive with the reference handler's names; its content is of no interest to the rules."""
    own: Files = {"huggingface_handler.py": ECHO_HANDLER, "hf_handler/__init__.py": ""}
    return archive_of(None, {**own, **files}, config, handler="huggingface_handler.py", **manifest)


def adapted_archive(kind: str, files: Files, file: str = "handler.py") -> Callable[[], bytes]:
    """An archive whose handler is an adapter, whose own content is of no interest to the rules.

    Args:
        kind: A key of `ADAPTER_FILES`.
        files: What the author has written.
        file: Which of them the adapter is to call.
    """
    own: Files = {ADAPTER_FILES[kind]: ECHO_HANDLER, "foreign_handler/__init__.py": ""}
    config = f"handler: {{file: {file}}}\n"
    return archive_of(None, {**own, **files}, config, handler=ADAPTER_FILES[kind])


def safetensors(kind: str = "F32", size: int = 4, cut: int = 0) -> bytes:
    """A safetensors file of one number, of which some bytes at the end are cut off."""
    header = json.dumps({"w": {"dtype": kind, "shape": [1], "data_offsets": [0, size]}}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(size)
    return content[: len(content) - cut]


def torch_zip(pickle: bytes, *others: str) -> bytes:
    """A file as `torch.save` writes it, with this pickle, no tensors, and other members that are empty."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("model/data.pkl", pickle)
        file.writestr("model/version", "3\n")
        for name in others:
            file.writestr(f"model/{name}", b"")
    return content.getvalue()


STATE_DICT = torch_zip(b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01.")
SCRIPT = torch_zip(b"\x80\x02}.", "constants.pkl", "code/__torch__.py")
MODULE = torch_zip(b"\x80\x02ctorch.nn.modules.linear\nLinear\nq\x00)\x81q\x01.")
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


def zipped(entries: list[tuple[zipfile.ZipInfo, str | bytes]]) -> Callable[[], bytes]:
    def content() -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as mar:
            for info, data in entries:
                mar.writestr(info, data)
        return made.getvalue()

    return content


def with_members(*entries: tuple[zipfile.ZipInfo, str | bytes]) -> Callable[[], bytes]:
    """A good archive with these members beside its own."""
    manifest = json.dumps({"runtime": "python", "model": {"modelName": "model", "handler": "handler.py"}})
    own: list[tuple[zipfile.ZipInfo, str | bytes]] = [
        (entry("MAR-INF/MANIFEST.json"), manifest),
        (entry("handler.py"), ECHO_HANDLER),
    ]
    return zipped([*own, *entries])


def entry(name: str, mode: int = 0o100644, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr, info.create_system, info.compress_type = mode << 16, 3, compression
    return info
