"""Make the server's Java libraries, in the user's cache and, for an image, in an environment.

python -m vertex_torchserve.serving.java_libraries           # once on a machine; nothing when they are there
python -m vertex_torchserve.serving.java_libraries --prefix /opt/venv
"""

import argparse
import logging
import shutil
import sys
from pathlib import Path

from vertex_torchserve.errors import VertexTorchServeError
from vertex_torchserve.serving.java_libraries.class_archive import make_class_archive
from vertex_torchserve.serving.java_libraries.class_path import libraries_folders
from vertex_torchserve.serving.java_libraries.java_runtime import java_executable
from vertex_torchserve.serving.java_libraries.lock import read_lock
from vertex_torchserve.serving.java_libraries.make import make_libraries


def main() -> int:
    """Do what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vertex_torchserve.serving.java_libraries")
    parser.add_argument("--prefix", type=Path, help="the environment that gets a copy, an image's")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    [*_, folder] = libraries_folders()
    try:
        make_libraries(folder)
        jars = [folder / name for name in read_lock().digests]
        make_class_archive(jars, java_executable())
    except VertexTorchServeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    if arguments.prefix:
        [copy, *_] = libraries_folders(arguments.prefix)
        folder = Path(shutil.copytree(folder, copy, dirs_exist_ok=True))
    size, archived = (sum(file.stat().st_size for file in folder.glob(kind)) for kind in ("*.jar", "*.jsa"))
    sys.stdout.write(
        f"{folder}: {len(jars)} jars, {size / 1e6:.1f} MB; archived classes, {archived / 1e6:.1f} MB\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
