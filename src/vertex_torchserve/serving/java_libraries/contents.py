"""Which libraries are in a jar, by name and version, and what says so."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve.serving.java_libraries.lock import Kept, read_lock

_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")


@dataclass(frozen=True, order=True)
class Library:
    """A library in a jar.

    Attributes:
        group: `io.netty`.
        name: `netty-common`.
        version: `4.2.13.Final`.
        evidence: The file that says so: in the jar, or of TorchServe's sources.
    """

    group: str
    name: str
    version: str
    evidence: str

    @property
    def purl(self) -> str:
        """`pkg:maven/io.netty/netty-common@4.2.13.Final`."""
        return f"pkg:maven/{self.group}/{self.name}@{self.version}"


def libraries_in(jar: Path) -> list[Library]:
    """What is in the jar: what Maven wrote into it, or, in the jar made of TorchServe's, what the lock says.

    TorchServe's jar was built without Maven's files; the versions are those of TorchServe's own
    frontend/gradle.properties and serving-sdk/pom.xml.
    """
    lock = read_lock()
    with zipfile.ZipFile(jar) as content:
        names = content.namelist()
        if jar.name == lock.kept_name:
            kept = [found for found in lock.kept if any(found.has(name) for name in names)]
            where = f"TorchServe {lock.kept[0].version}: frontend/gradle.properties, serving-sdk/pom.xml"
            return sorted(_kept(found, where) for found in kept)
        return sorted(_library(content, name) for name in names if _POM.fullmatch(name))


def _kept(found: Kept, evidence: str) -> Library:
    group, name = found.name.split(":")
    return Library(group, name, found.version, evidence)


def _library(jar: zipfile.ZipFile, name: str) -> Library:
    values = dict(
        line.split("=", 1) for line in jar.read(name).decode().splitlines() if re.match(r"\w+=", line)
    )
    return Library(values["groupId"], values["artifactId"], values["version"], name)
