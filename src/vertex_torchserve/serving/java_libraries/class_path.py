"""Find the libraries that were made for this image or machine; without them TorchServe's own jar serves."""

import hashlib
import importlib.util
import logging
import os
import sys
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.java_libraries.lock import is_intact, read_lock

logger = logging.getLogger(__name__)

MAKE = f"{sys.executable} -m vertex_torchserve.serving.java_libraries"


def torchserve_home() -> Path:
    """The folder that has the package `ts`.

    Raises:
        InputError: When TorchServe is not installed.
    """
    spec = importlib.util.find_spec("ts")
    if spec is None or spec.origin is None:
        raise InputError(
            Problem(
                "TorchServe is not installed in this Python", "pip install 'vertex-torchserve[torchserve]'"
            )
        )
    return Path(spec.origin).parents[1]


def torchserve_jar() -> Path:
    """TorchServe's own jar with everything in it.

    Raises:
        InputError: When TorchServe is not installed.
    """
    return torchserve_home() / "ts" / "frontend" / "model-server.jar"


def libraries_folders(prefix: Path | None = None) -> list[Path]:
    """Where the libraries that the lock names can lie: in the environment, in the user's cache."""
    digest = hashlib.sha256(repr(sorted(read_lock().digests.items())).encode()).hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", "/"), ".cache")
    places = ((prefix or Path(sys.prefix)) / "share", Path(cache))
    return [place / "vertex-torchserve" / "java" / digest for place in places]


def class_path() -> list[Path]:
    """The jars that TorchServe is served with, beside our launcher; the log says which netty is among them.

    Raises:
        InputError: When TorchServe is not installed, or a library is not what the lock says.
    """
    for folder in libraries_folders():
        if folder.is_dir():
            jars = [folder / name for name in read_lock().digests]
            changed = [jar for jar in jars if not is_intact(jar, read_lock().digests[jar.name])]
            if changed:
                raise InputError(
                    Problem(
                        f"{changed[0]} is missing or is not what the lock says",
                        f"remove {folder}; run {MAKE}",
                    )
                )
            logger.info("TorchServe's libraries: %s", ", ".join(jar.stem for jar in jars))
            return jars
    logger.warning(
        "TorchServe's own jar serves, with netty 4.1.53 and log4j 2.17.1, which have known holes; "
        "newer ones come with: %s",
        MAKE,
    )
    return [torchserve_jar()]
