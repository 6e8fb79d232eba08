"""Twenty ways in which a model can't be served, each made from one good archive."""

import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile

from benchmarks.contenders import MINILM, open_to_all
from testbed.archives import rewrite_archive
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

HANDLER = "huggingface_handler.py"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")
GOLDEN_REQUEST = b'{"instances": ["a good movie"]}'
AT_LOAD = """\
import os, time


class Handler:
    def initialize(self, context):
        {statement}

    def handle(self, data, context):
        return data
"""
# A source distribution whose build never ends. It brings its own build program: nothing is downloaded.
HANGING_BUILD = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "build"\nbackend-path = ["."]\n',
    "build.py": "import time\ntime.sleep(3600)\n",
    "PKG-INFO": "Metadata-Version: 2.1\nName: endless\nVersion: 1.0\n",
}
# Small enough for the program to start in, too small for PADDING to be unpacked into.
SMALL_DISK_MB = 32
PADDING_BYTES = 64 << 20

# Fills the model store (the second path) from the good archive (the first).
Make = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Case:
    """One way to fail.

    Attributes:
        name: What is wrong, in a few words.
        make: Fills the model store.
        cause: What the last error of the log must hold, in any case of letters; `model.mar` is too little.
        environment: Of the container.
        memory: Its memory limit, docker's spelling.
        small_disk: Whether it unpacks into a file system of `SMALL_DISK_MB`.
        mounted: Whether the model store is there at all.
    """

    name: str
    make: Make
    cause: str
    environment: Mapping[str, str] = field(default_factory=dict)
    memory: str | None = None
    small_disk: bool = False
    mounted: bool = True


def make_good_archive(folder: Path, *, nan: bool = False) -> Path:
    """Package a seeded BERT classifier of 4 MB, in several shards, with the reference handler."""
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    model_folder = folder / "model"
    model_folder.mkdir(parents=True)
    torch.manual_seed(20)
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=3
        )
    )
    if nan:
        with torch.no_grad():
            model.classifier.weight.fill_(float("nan"))
    model.save_pretrained(model_folder, max_shard_size="100KB")
    for name in TOKENIZER_FILES:
        copyfile(MINILM / name, model_folder / name)
    return build_model_archive(ModelArchiveSpec(model_folder, handler="huggingface"), folder).mar_path


def with_files(files: Mapping[str, str | bytes], **manifest: str) -> Make:
    """The good archive with other files; `manifest`: further entries of its manifest's `model`."""

    def make(good: Path, store: Path) -> None:
        content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
        if manifest:
            content["MAR-INF/MANIFEST.json"] = _manifest(good, manifest)
        rewrite_archive(good, store / "model.mar", content)

    return make


def without_files(*names: str) -> Make:
    """The good archive without some of its files."""
    return lambda good, store: rewrite_archive(good, store / "model.mar", {}, without=names)


def named(*names: str) -> Make:
    """Copies of the good archive under other names."""

    def make(good: Path, store: Path) -> None:
        for name in names:
            copyfile(good, store / name)

    return make


def truncated(good: Path, store: Path) -> None:
    """The first half of the archive."""
    content = good.read_bytes()
    (store / "model.mar").write_bytes(content[: len(content) // 2])


def corrupt_member(good: Path, store: Path) -> None:
    """One byte of a stored file is another."""
    content = bytearray(good.read_bytes())
    with zipfile.ZipFile(good) as archive:
        member = archive.getinfo("config.json")
    # The local header: 30 bytes and the name (PKWARE APPNOTE 4.3.7); our packager writes no extra field.
    content[member.header_offset + 30 + len(member.filename) + member.compress_size // 2] ^= 1
    (store / "model.mar").write_bytes(content)


def unreadable(good: Path, store: Path) -> None:
    """A file that the container's user must not read."""
    copyfile(good, store / "model.mar")
    (store / "model.mar").chmod(0)


def nan_weights(good: Path, store: Path) -> None:
    """A classifier that answers NaN, with the golden request that shows it."""
    bad = make_good_archive(good.parent / "nan", nan=True)
    rewrite_archive(bad, store / "model.mar", {"golden-request.json": GOLDEN_REQUEST})


def hanging_requirements(good: Path, store: Path) -> None:
    """A requirement in the archive itself, whose build never ends."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in HANGING_BUILD.items():
            member = tarfile.TarInfo(f"endless-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    files = {
        "requirements.txt": b"--no-index\n--find-links .\nendless==1.0\n",
        "endless-1.0.tar.gz": buffer.getvalue(),
    }
    with_files(files, requirementsFile="requirements.txt")(good, store)


def _manifest(good: Path, entries: Mapping[str, str]) -> bytes:
    import json

    with zipfile.ZipFile(good) as archive:
        manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))
    manifest["model"].update(entries)
    return json.dumps(manifest).encode()


def make_store(case: Case, good: Path, folder: Path) -> Path:
    """The model store of a case, readable by every user."""
    store = folder / "-".join(re.findall(r"\w+", case.name))  # docker's --mount takes no comma
    store.mkdir()
    case.make(good, store)
    for path in store.iterdir():
        if case.make is not unreadable:
            path.chmod(0o644)
    open_to_all(store)
    return store


SHARD = "model-00002-of-00003.safetensors"
QUICK_TO_GIVE_UP = "startupTimeout: 15\n"
NO_LUCK = 'raise RuntimeError("no such luck")'
UNKNOWN = "no-such-package-for-anyone"
TWO_CLASSES = AT_LOAD.format(statement="pass") + "\n\nclass Other: ...\n"
MUCH = 'self.much = [b"x" * (64 << 20) for _ in range(200)]'
CONTROL = Case("control: nothing wrong", named("model.mar"), "")
CASES = (
    Case("truncated zip", truncated, "is not a model archive"),
    Case("no manifest", without_files("MAR-INF/MANIFEST.json"), "MANIFEST.json"),
    Case("missing shard", without_files(SHARD), SHARD),
    Case("missing tokenizer", without_files(*TOKENIZER_FILES), "tokenizer"),
    Case(
        "handler raises at import",
        with_files({HANDLER: NO_LUCK}),
        "no such luck",
    ),
    Case(
        "handler raises at load",
        with_files({HANDLER: AT_LOAD.format(statement=NO_LUCK)}),
        "no such luck",
    ),
    Case(
        "handler hangs at load",
        with_files(
            {HANDLER: AT_LOAD.format(statement="time.sleep(3600)"), "model-config.yaml": QUICK_TO_GIVE_UP},
            configFile="model-config.yaml",
        ),
        "startupTimeout",
    ),
    Case("handler exits at load", with_files({HANDLER: AT_LOAD.format(statement="os._exit(3)")}), "worker"),
    Case(
        "two classes in the handler",
        with_files({HANDLER: TWO_CLASSES}),
        "class",
    ),
    Case(
        "requirements that don't exist",
        with_files({"requirements.txt": UNKNOWN + "==99\n"}, requirementsFile="requirements.txt"),
        UNKNOWN,
    ),
    Case(
        "requirements that hang",
        hanging_requirements,
        "took longer than 20 s",
        environment={"VTS_INSTALL_TIMEOUT_SECONDS": "20"},
    ),
    Case(
        "empty model-config.yaml",
        with_files({"model-config.yaml": ""}, configFile="model-config.yaml"),
        "model-config.yaml",
    ),
    Case("NaN weights, golden request", nan_weights, "golden"),
    Case(
        "out of memory at load",
        with_files({HANDLER: AT_LOAD.format(statement=MUCH)}),
        "memory",
        memory="1536m",
    ),
    Case("wrong MODEL_NAME", named("model.mar"), "MODEL_NAME", environment={"MODEL_NAME": "other"}),
    Case("two archives", named("one.mar", "two.mar"), "one.mar, two.mar"),
    Case(
        "empty AIP_STORAGE_URI",
        lambda _good, _store: None,
        "AIP_STORAGE_URI",
        environment={"AIP_MODE": "PREDICTION", "AIP_STORAGE_URI": ""},
        mounted=False,
    ),
    Case("unreadable object", unreadable, "permission"),
    Case("disk full", with_files({"padding.bin": bytes(PADDING_BYTES)}), "free", small_disk=True),
    Case("corrupt member", corrupt_member, "config.json"),
)
