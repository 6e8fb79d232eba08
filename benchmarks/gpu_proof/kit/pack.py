"""The folder of the kit, and the files of a bounded size that it is carried in."""

import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.contenders import ROOT
from benchmarks.gpu_proof.kit.requirements import OURS, pinned_requirements
from vertex_torchserve.checkout import commit_of
from vertex_torchserve.serving.java_libraries.class_path import libraries_folders

MIB = 1024 * 1024
NAME = "gpu-proof"
# Some ways to another machine take 64 MiB at a time, the checkout included.
PART_BYTES = 48 * MIB
# Those of the wheels of what the kit carries; pip takes none of a newer glibc than it is told.
GLIBC_MINORS = (*range(39, 16, -1), 12, 5)
PROGRAM = ("benchmarks", "testbed")
NOT_CARRIED = shutil.ignore_patterns("__pycache__", "results", "peers", "stock")
INSTALL_SECONDS = 900
HOW = f"""\
The proof of a machine with a GPU; nothing of it needs a network. Put these files into one folder there, then:

    sha256sum -c SHA256SUMS && cat {NAME}.tar.* | tar x && {NAME}/prove.sh

PYTHON names the Python that has torch with CUDA: python3 where it names none. It takes ten minutes at most
and writes {NAME}/results/gpu_proof.json and gpu_proof.html; `--out FOLDER` puts them elsewhere.
"""


def make_folder(folder: Path, pythons: Sequence[str]) -> None:
    """Lay out what is carried.

    Args:
        folder: Is made.
        pythons: Versions that wheels are carried for, such as `3.12`.
    """
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    pinned = pinned_requirements()
    (folder / "requirements.txt").write_text("\n".join([*pinned, OURS]) + "\n")
    _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
    here = ("--no-deps", "--only-binary=:all:", "--implementation=cp", "--dest", str(wheels))
    platforms = [f"--platform={name}" for name in _platforms()]
    for version in pythons:
        _pip("download", *here, *platforms, "--python-version", version, *pinned)
    shutil.copytree(_java_libraries(), folder / "java" / _java_libraries().name)
    for name in PROGRAM:
        shutil.copytree(ROOT / name, folder / name, ignore=NOT_CARRIED)
    shutil.copy(Path(__file__).with_name("prove.sh"), folder)
    (folder / "commit").write_text(f"{commit_of(ROOT)}\n")


def _platforms() -> Iterator[str]:
    machine = platform.machine()
    for minor in GLIBC_MINORS:
        yield f"manylinux_2_{minor}_{machine}"
    yield f"manylinux2014_{machine}"


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", arguments[0], "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *arguments[1:]], check=True, timeout=INSTALL_SECONDS)


def _java_libraries() -> Path:
    """The folder of the Java libraries on this machine.

    Raises:
        SystemExit: When they were not made.
    """
    made = [folder for folder in libraries_folders() if folder.is_dir()]
    if not made:
        raise SystemExit(
            "the Java libraries are not here: python -m vertex_torchserve.serving.java_libraries"
        )
    return made[0]


def write_parts(folder: Path, out: Path, part_bytes: int = PART_BYTES) -> list[Path]:
    """Write a folder as one tar in parts, with their sums and how to use them; earlier parts are replaced.

    Args:
        folder: What is carried.
        out: Gets the parts.
        part_bytes: The most that one has.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob(f"{NAME}.tar.*"):
        old.unlink()
    with tarfile.open(fileobj=_Parts(out, part_bytes), mode="w|", bufsize=MIB) as tar:
        tar.add(folder, NAME)
    parts = sorted(out.glob(f"{NAME}.tar.*"))
    sums = (f"{hashlib.sha256(part.read_bytes()).hexdigest()}  {part.name}\n" for part in parts)
    (out / "SHA256SUMS").write_text("".join(sums))
    (out / "README.txt").write_text(HOW)
    return parts


class _Parts(io.RawIOBase):
    """A file that goes on in the next one when it is full."""

    def __init__(self, out: Path, part_bytes: int) -> None:
        self._out, self._part_bytes, self._written = out, part_bytes, 0

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        view = memoryview(data)
        while view:
            number, used = divmod(self._written, self._part_bytes)
            piece = view[: self._part_bytes - used]
            with (self._out / f"{NAME}.tar.{number:02}").open("ab") as file:
                file.write(piece)
            self._written += len(piece)
            view = view[len(piece) :]
        return len(data)
