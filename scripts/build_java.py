"""Build `serving/java/vertex-torchserve.jar` from the Java sources beside it.

The same sources and the same major version of javac give the same bytes: entries are sorted, dated
1980 and stored. The manifest carries the digest of the sources, so that a stale jar is found out
where there is no javac.

    python scripts/build_java.py           # replaces the jar in the source tree
    python scripts/build_java.py OUT.jar   # writes it elsewhere
"""

import hashlib
import importlib.util
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

JAVA_FOLDER = Path(__file__).parents[1] / "src" / "vertex_torchserve" / "serving" / "java"
# What javac makes of the sources differs a little from one major version to the next.
JAVAC_VERSION = 17
_MANIFEST = "META-INF/MANIFEST.MF"


def main(arguments: list[str]) -> int:
    """Build to the path given, or in place; returns the exit code."""
    target = Path(arguments[0]) if arguments else JAVA_FOLDER / "vertex-torchserve.jar"
    found = _javac_version()
    if found != JAVAC_VERSION:
        sys.stderr.write(f"javac on the PATH: {found}; {JAVAC_VERSION} is needed for the same bytes\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="vts-") as folder:
        if _compile(Path(folder)) != 0:
            return 1
        _write_jar(Path(folder), target)
    return 0


def source_digest(sources: Path) -> str:
    """SHA-256 over names and contents of the Java files beneath `sources`, in order of name."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*.java")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(sources).as_posix()}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _javac_version() -> int | None:
    try:
        answer = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    version = re.search(r"javac (\d+)", answer.stdout + answer.stderr)
    return int(version[1]) if version else None


def _compile(classes: Path) -> int:
    """Against TorchServe's own jar, which carries netty, log4j and the serving SDK too."""
    torchserve = importlib.util.find_spec("ts")
    if torchserve is None or torchserve.origin is None:
        sys.stderr.write("TorchServe is not installed in this Python: pip install torchserve==0.12.0\n")
        return 1
    jar = Path(torchserve.origin).parent / "frontend" / "model-server.jar"
    sources = sorted(str(path) for path in (JAVA_FOLDER / "src").rglob("*.java"))
    options = ["--release", str(JAVAC_VERSION), "-Xlint:all", "-Werror", "-g:source,lines", "-proc:none"]
    command = ["javac", *options, "-encoding", "UTF-8", "-cp", str(jar), "-d", str(classes), *sources]
    return subprocess.run(command, check=False).returncode


def _write_jar(classes: Path, target: Path) -> None:
    manifest = f"Manifest-Version: 1.0\r\nSources-SHA256: {source_digest(JAVA_FOLDER / 'src')}\r\n\r\n"
    partial = target.with_name(f"{target.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as jar:
        _add(jar, _MANIFEST, manifest.encode())
        for path in sorted(classes.rglob("*.class")):
            _add(jar, path.relative_to(classes).as_posix(), path.read_bytes())
    partial.replace(target)


def _add(jar: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name)  # dated 1980-01-01
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # Unix, on every machine
    jar.writestr(entry, content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
