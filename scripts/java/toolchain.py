"""The Java sources and the compiler they are built and checked with."""

import re
import subprocess
from pathlib import Path

from vertex_torchserve.serving.java_libraries.class_path import MAKE, class_path, torchserve_jar

ROOT = Path(__file__).parents[2]
JAVA_FOLDER = ROOT / "src" / "vertex_torchserve" / "serving" / "java"
SOURCES = JAVA_FOLDER / "src"
TESTS = ROOT / "tests" / "unit" / "serving" / "java" / "src"
# What javac makes of the sources differs a little from one major version to the next.
JAVAC_VERSION = 17
# Where Debian's package `junit5` has it.
JUNIT = Path("/usr/share/java/junit-platform-console-standalone.jar")
# A compiler that runs for a second or two ends sooner when the JVM does not optimize it while it runs.
QUICK_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_OPTIONS = [
    *(f"-J{option}" for option in QUICK_JVM),
    *("--release", str(JAVAC_VERSION)),
    *("-encoding", "UTF-8"),
    "-Xlint:all",
    "-Xdoclint:all/public",  # every public class and method is documented
    "-Werror",
    "-g:source,lines",
    "-proc:none",
]


class MissingToolError(Exception):
    """Says what is missing and how to install it."""


def java_files(folder: Path) -> list[str]:
    """The paths of all Java files beneath `folder`, in order."""
    return sorted(str(path) for path in folder.rglob("*.java"))


def libraries() -> list[Path]:
    """The jars that our own is compiled against and runs with: TorchServe's classes, netty, log4j and others.

    Raises:
        MissingToolError: When they have not been made.
    """
    jars = class_path()
    if torchserve_jar() in jars:
        raise MissingToolError(f"the Java libraries are not made: {MAKE}")
    return jars


def javac_command(sources: list[str], classes: Path, *more: Path) -> list[str]:
    """The command that compiles `sources` into the folder `classes`; a warning fails it.

    Raises:
        MissingToolError: When the javac on the PATH is missing or has another version.
    """
    found = _javac_version()
    if found != JAVAC_VERSION:
        raise MissingToolError(
            f"javac on the PATH: {found}; {JAVAC_VERSION} is needed: apt-get install openjdk-17-jdk-headless"
        )
    return ["javac", *_OPTIONS, "-cp", joined(*libraries(), *more), "-d", str(classes), *sources]


def junit_jar() -> Path:
    """JUnit 5 with its console.

    Raises:
        MissingToolError: When it is not installed.
    """
    if not JUNIT.exists():
        raise MissingToolError(f"{JUNIT} is missing: apt-get install junit5")
    return JUNIT


def joined(*jars: Path) -> str:
    """A class path as Java reads it."""
    return ":".join(str(path) for path in jars)


def _javac_version() -> int | None:
    try:
        answer = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    version = re.search(r"javac (\d+)", answer.stdout + answer.stderr)
    return int(version[1]) if version else None
