"""Make the environment of a lock, or find the one that was made before."""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import vertex_torchserve
from vertex_torchserve.archive_check.image_modules import ImageModules, listing
from vertex_torchserve.errors import ServingError
from vertex_torchserve.smoke_test.locked_environment.lock import Lock
from vertex_torchserve.unfinished import remove_abandoned, unfinished

logger = logging.getLogger(__name__)
_PART = ".part"
_MOST_LINES = 20
_METADATA = "Metadata-Version: 2.1\nName: vertex-torchserve\nVersion: {version}\n"


@dataclass(frozen=True)
class LockedPython:
    """A Python with the versions of a lock.

    Attributes:
        lock: The lock.
        folder: The environment.
        made_seconds: How long it took to make it; None where it was there.
    """

    lock: Lock
    folder: Path
    made_seconds: float | None = None

    @property
    def program(self) -> Path:
        """The interpreter."""
        return self.folder / "bin" / "python"

    def modules(self) -> ImageModules:
        """What it has."""
        listed = json.loads(_output([str(self.program), "-I", "-B", listing.__file__, "--packages"]))
        return ImageModules.of(f"the environment of {self.lock.name}", {**listed, "unpickled": ()})


def locked_python(lock: Lock) -> LockedPython:
    """A Python with exactly the versions of a lock, and with this package.

    It lies in the user's cache, under the lock's digest, and is made where it is not there yet.

    Args:
        lock: What it has.

    Raises:
        ServingError: pip can't install it.
    """
    environments = _cache() / "vertex-torchserve" / "environments"
    folder = environments / lock.digest
    seconds = None
    if not folder.is_dir():
        environments.mkdir(parents=True, exist_ok=True)
        remove_abandoned(environments, f"*{_PART}")
        began = time.monotonic()
        logger.info("installing the %d packages of %s in %s", len(lock.packages), lock.name, folder)
        with unfinished(lambda: Path(tempfile.mkdtemp(suffix=_PART, dir=environments))) as part:
            try:
                _install(lock, part)
                if not folder.is_dir():  # which another process may have made meanwhile
                    part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        seconds = round(time.monotonic() - began, 1)
    python = LockedPython(lock, folder, seconds)
    _link_this_package(python)
    return python


def _install(lock: Lock, folder: Path) -> None:
    _output([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    with tempfile.TemporaryDirectory(prefix="vts-") as work:
        requirements = Path(work, "requirements.txt")
        requirements.write_text("\n".join([*lock.lines, ""]))
        options = ["--require-hashes"] if lock.has_hashes else _index(lock)
        _pip(folder, [*options, "--requirement", str(requirements)], lock)
    if lock.torch:
        _pip(folder, [*_index(lock), lock.torch], lock)


def _index(lock: Lock) -> list[str]:
    return ["--extra-index-url", lock.torch_index] if lock.torch_index else []


def _pip(folder: Path, arguments: Sequence[str], lock: Lock) -> None:
    """What pip does in the environment, which has none of its own: nothing but what the lock names."""
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    command = [*pip, "install", "--no-deps", "--no-input", "--disable-pip-version-check", *arguments]
    try:
        _output(command)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.splitlines()
        said = [line for line in lines if line.startswith("ERROR: ")] or lines
        raise ServingError(
            f"pip can't install {lock.name}: " + "\n".join(said[-_MOST_LINES:]),
            "correct the lock, or name the index that has these files (PIP_INDEX_URL, PIP_FIND_LINKS)",
        ) from error


def _link_this_package(python: LockedPython) -> None:
    """Put the package that proves into the environment: the folder itself, and what tells its version."""
    [packages] = (python.folder / "lib").glob("python*/site-packages")
    link, source = packages / vertex_torchserve.__name__, Path(vertex_torchserve.__file__).parent
    if not link.is_symlink() or link.readlink() != source:
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    about = packages / f"vertex_torchserve-{vertex_torchserve.__version__}.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(_METADATA.format(version=vertex_torchserve.__version__))


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
