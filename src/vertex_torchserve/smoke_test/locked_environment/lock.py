"""A lock: which versions an environment has, from hashed requirements or from an image's inventory."""

import hashlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vertex_torchserve.archive_check.image_modules import of_our_images
from vertex_torchserve.archive_check.image_modules.named import read_inventory
from vertex_torchserve.archive_check.reading.requirements_file import RequirementLine, RequirementsFile
from vertex_torchserve.errors import InputError, Problem, raise_problems

# Linked into the environment, not installed: it is the one that proves.
_THIS_PACKAGE = "vertex-torchserve"
_HASH = "--hash="


@dataclass(frozen=True)
class Lock:
    """What is installed, and nothing else.

    Attributes:
        name: The file's name.
        packages: What it names.
        lines: Of requirements, each of one version.
        has_hashes: Whether each line has the digest of what may be installed for it.
        torch: The line for torch where the lock leaves torch out, as the images' own do; empty for none.
        torch_index: Where the torch of the line, or of the lock, comes from beside PyPI; None: only PyPI.
        python: The version of Python that it is for; empty where the lock does not say.
    """

    name: str
    packages: frozenset[str]
    lines: tuple[str, ...]
    has_hashes: bool
    torch: str = ""
    torch_index: str | None = None
    python: str = ""

    @classmethod
    def read(cls, path: Path) -> "Lock":
        """Read a requirements file with hashes, or the `inventory.json` of an image.

        Raises:
            InputError: It can't be read, a line is not of one version, some lines have hashes and others
                have none, or it is for another Python.
        """
        try:
            text = path.read_bytes()
        except OSError as error:
            raise InputError(
                Problem(f"{path} can't be read: {error.strerror}", "correct the path of the lock")
            ) from error
        lock = (
            _of_an_inventory(path.name, text) if path.suffix == ".json" else _of_requirements(path.name, text)
        )
        if not platform.python_version().startswith(lock.python):
            raise InputError(
                Problem(
                    f"{path} is for Python {lock.python}, and this is {platform.python_version()}",
                    f"run vertex-torchserve with Python {lock.python}",
                )
            )
        return lock

    @property
    def digest(self) -> str:
        """The SHA-256 of all that an environment is made of, its Python included, in hexadecimal."""
        parts = (platform.python_version(), *self.lines, self.torch, self.torch_index or "")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def serving_lock(path: Path) -> Lock:
    """Read a lock with which an archive can be served.

    Args:
        path: Requirements with hashes, or the `inventory.json` of an image.

    Raises:
        InputError: It can't be used.
    """
    lock = Lock.read(path)
    raise_problems(
        [
            Problem(
                f"{path} has no {package}, without which nothing is served",
                "give the lock of an image that serves, such as images/torchserve-cpu/requirements.lock",
            )
            for package in ("torchserve", "torch")
            if package not in lock.packages
        ]
    )
    return lock


def _of_an_inventory(name: str, text: bytes) -> Lock:
    image = read_inventory(text, name, name)
    packages = image.versions.keys() - {_THIS_PACKAGE}
    lines = tuple(f"{package}=={image.versions[package]}" for package in sorted(packages))
    python = ".".join(image.python.split(".")[:2])
    return Lock(
        name, frozenset(packages), lines, has_hashes=False, torch_index=image.torch_index, python=python
    )


def _of_requirements(name: str, text: bytes) -> Lock:
    lines = [line for line in RequirementsFile.read(name, text).lines if line.name != _THIS_PACKAGE]
    hashed = [line for line in lines if _HASH in line.text]
    raise_problems([*_problems(name, lines, is_hashed=bool(hashed))])
    packages = frozenset(line.name for line in lines if line.name)
    lock = Lock(name, packages, tuple(line.text for line in lines), has_hashes=bool(hashed))
    if "torchserve" not in packages or "torch" in packages:
        return lock
    image = of_our_images()
    torch = f"torch=={image.versions['torch']}"
    return replace(lock, packages=packages | {"torch"}, torch=torch, torch_index=image.torch_index)


def _problems(name: str, lines: list[RequirementLine], *, is_hashed: bool) -> Iterator[Problem]:
    if not lines:
        yield Problem(f"{name} names nothing to install", "give a lock: `NAME==VERSION`, one a line")
    for line in lines:
        where = f"{name}:{line.number}: {line.text.partition(' ')[0]}"
        versions = line.versions.removeprefix("==")
        if line.name is None or line.url or versions == line.versions or set(versions) & set("=,*<>!~"):
            yield Problem(
                f"{where} is not of one version", "write `NAME==VERSION`, or lock the file with hashes"
            )
        elif is_hashed and _HASH not in line.text:
            yield Problem(f"{where} has no hash, and other lines have", "lock the whole file with hashes")
