"""`lock.toml` as typed values: the artifacts, their digests, and what is kept of TorchServe's jar."""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_LOCK = Path(__file__).with_name("lock.toml")


@dataclass(frozen=True)
class Artifact:
    """A jar as it lies in Maven Central.

    Attributes:
        group: `io.netty`.
        name: `netty-common`.
        version: `4.2.13.Final`.
        classifier: `linux-x86_64`, or empty.
        sha256: Of the file.
    """

    group: str
    name: str
    version: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """`netty-common-4.2.13.Final.jar`."""
        return "-".join(part for part in (self.name, self.version, self.classifier) if part) + ".jar"

    @property
    def maven_path(self) -> str:
        """Its path in a Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.name}/{self.version}/{self.file_name}"


@dataclass(frozen=True)
class Carrier:
    """A source distribution on PyPI with artifacts in a folder; the digest is that of the distribution."""

    requirement: str
    sha256: str
    folder: str


@dataclass(frozen=True)
class Kept:
    """A library whose classes are taken from TorchServe's jar.

    Attributes:
        name: `group:artifact`.
        version: What TorchServe was built with.
        packages: Folders of the jar, with those beneath them.
        without: Folders beneath those that are left out.
        files: Other files of the jar.
    """

    name: str
    version: str
    packages: tuple[str, ...]
    without: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        """Whether the class or the file of the jar is this library's."""
        beneath = any(path.startswith(f"{folder}/") for folder in self.packages)
        left_out = any(path.startswith(f"{folder}/") for folder in self.without)
        return path in self.files or (beneath and not left_out)


@dataclass(frozen=True)
class Lock:
    """All of `lock.toml`.

    Attributes:
        torchserve_sha256: Of TorchServe's own jar.
        kept_sha256: Of the jar that is made of it.
        kept_name: That jar's file name.
        kept: What is taken.
        unused: By class, the methods that nothing calls.
        absent: Pairs of classes: the first may be missing although the second names it.
        carriers: In the order in which they are tried.
        artifacts: In the order of the class path.
    """

    torchserve_sha256: str
    kept_sha256: str
    kept_name: str
    kept: tuple[Kept, ...]
    unused: dict[str, tuple[str, ...]]
    absent: frozenset[tuple[str, str]]
    carriers: tuple[Carrier, ...]
    artifacts: tuple[Artifact, ...]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 by file name of everything on the class path but our own jar."""
        return {self.kept_name: self.kept_sha256} | {
            found.file_name: found.sha256 for found in self.artifacts
        }


@cache
def read_lock() -> Lock:
    """The lock of this package."""
    content: dict[str, Any] = tomllib.loads(_LOCK.read_text())
    torchserve = content["torchserve"]
    return Lock(
        torchserve_sha256=torchserve["jar_sha256"],
        kept_sha256=torchserve["kept_sha256"],
        kept_name=f"torchserve-{torchserve['version']}-kept.jar",
        kept=tuple(_kept(**found) for found in torchserve["kept"]),
        unused={found["class"]: tuple(found["methods"]) for found in torchserve["unused"]},
        absent=frozenset((found["class"], found["named_by"]) for found in torchserve["absent"]),
        carriers=tuple(Carrier(**found) for found in content["carrier"]),
        artifacts=tuple(_artifact(name, sha256) for name, sha256 in content["artifacts"].items()),
    )


def is_intact(path: Path, sha256: str) -> bool:
    """Whether the file is there and has this SHA-256."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except FileNotFoundError:
        return False


def _artifact(coordinates: str, sha256: str) -> Artifact:
    group, name, version, *classifier = coordinates.split(":")
    return Artifact(group, name, version, "".join(classifier), sha256)


def _kept(
    name: str, version: str, packages: list[str], without: Sequence[str] = (), files: Sequence[str] = ()
) -> Kept:
    return Kept(name, version, tuple(packages), tuple(without), tuple(files))
