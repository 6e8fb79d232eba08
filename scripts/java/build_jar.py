"""Build `serving/java/vertex-torchserve.jar` from the Java sources beside it.

The same sources and the same major version of javac give the same bytes: entries are sorted, dated
1980 and stored. The manifest carries the digest of the sources, so that a stale jar is found out
where there is no javac.

    python -m scripts.java.build_jar                  # replaces the jar in the source tree
    python -m scripts.java.build_jar OUT.jar          # writes it elsewhere
    python -m scripts.java.build_jar --digest FOLDER  # only prints the digest of the sources in a folder
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from scripts.java.toolchain import JAVA_FOLDER, SOURCES, MissingToolError, java_files, javac_command

_MANIFEST = "META-INF/MANIFEST.MF"


def main() -> int:
    """Do what the command line says; returns the exit code, 2 when a tool is missing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", type=Path, nargs="?", default=JAVA_FOLDER / "vertex-torchserve.jar")
    parser.add_argument("--digest", type=Path)
    arguments = parser.parse_args()
    if arguments.digest is not None:
        sys.stdout.write(f"{source_digest(arguments.digest)}\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="vts-") as folder:
        classes = Path(folder)
        try:
            compiled = subprocess.run(javac_command(java_files(SOURCES), classes), check=False)
        except MissingToolError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        if compiled.returncode != 0:
            return 1
        _write_jar(classes, arguments.target)
    return 0


def source_digest(sources: Path) -> str:
    """SHA-256 over names and contents of the Java files beneath `sources`, in order of name."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*.java")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(sources).as_posix()}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _write_jar(classes: Path, target: Path) -> None:
    manifest = f"Manifest-Version: 1.0\r\nSources-SHA256: {source_digest(SOURCES)}\r\n\r\n"
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
    sys.exit(main())
