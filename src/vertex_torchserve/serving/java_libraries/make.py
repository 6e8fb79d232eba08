"""Make the folder of libraries: download, take what is kept of TorchServe's jar, prove, move into place."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from vertex_torchserve.serving.java_libraries.class_path import torchserve_jar
from vertex_torchserve.serving.java_libraries.download import LibraryError, download
from vertex_torchserve.serving.java_libraries.kept_jar import write_kept_jar
from vertex_torchserve.serving.java_libraries.lock import Lock, is_intact, read_lock
from vertex_torchserve.serving.java_libraries.proof import objections
from vertex_torchserve.unfinished import remove_abandoned, unfinished

LAUNCHER = Path(__file__).parents[1] / "java" / "vertex-torchserve.jar"


def make_libraries(folder: Path) -> None:
    """Make what is not there yet, and prove that it serves.

    Args:
        folder: Where the jars go, all of them or none.

    Raises:
        InputError: When TorchServe is not installed.
        LibraryError: When a file can't be had or is not what the lock says, or when something that runs
            refers to what is left out.
    """
    lock = read_lock()
    torchserve = torchserve_jar()
    if not is_intact(torchserve, lock.torchserve_sha256):
        raise LibraryError(f"{torchserve} is not TorchServe 0.12.0's", "pip install torchserve==0.12.0")
    if all(is_intact(folder / name, digest) for name, digest in lock.digests.items()):
        _prove(lock, folder, torchserve)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(folder.parent, ".java-*")
    with unfinished(lambda: Path(tempfile.mkdtemp(prefix=".java-", dir=folder.parent))) as work:
        try:
            _take_from_others(lock, work, folder.parent)
            download(lock.artifacts, lock.carriers, work)
            _keep(lock, torchserve, work)
            _prove(lock, work, torchserve)
            _move(work, folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)  # it has gone when all went well


def _take_from_others(lock: Lock, work: Path, places: Path) -> None:
    """Take what earlier versions of the lock had too, so that it is not downloaded again."""
    for artifact in lock.artifacts:
        for jar in places.glob(f"*/{artifact.file_name}"):
            if is_intact(jar, artifact.sha256):
                shutil.copyfile(jar, work / artifact.file_name)


def _keep(lock: Lock, torchserve: Path, work: Path) -> None:
    kept = work / lock.kept_name
    write_kept_jar(torchserve, lock.kept, kept)
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    if found != lock.kept_sha256:
        raise LibraryError(
            f"{kept.name} has SHA-256 {found}; the lock has {lock.kept_sha256}",
            "write the digest found into lock.toml when you changed what is kept",
        )


def _prove(lock: Lock, folder: Path, torchserve: Path) -> None:
    wrong = objections(lock, LAUNCHER, [folder / name for name in lock.digests], torchserve)
    if wrong:
        raise LibraryError("\n".join(wrong), "change lock.toml")


def _move(work: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what is there is not what the lock says
    work.chmod(0o755)
    try:
        work.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        # Another process has made the same meanwhile.
