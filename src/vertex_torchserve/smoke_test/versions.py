"""Which versions serve: of this Python, or of the Python in a container of one of our images."""

import contextlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from vertex_torchserve.docker import Container, DockerError

_SHOWN = ("vertex-torchserve", "torchserve", "torch", "transformers", "tokenizers", "safetensors", "numpy")
_PROGRAM = """
import importlib.metadata, json, platform, sys
found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
named = {name: found[name] for name in sys.argv[1:] if name in found}
print(json.dumps({"Python": platform.python_version(), **named}))
"""
_IMAGE_PYTHON = "/opt/venv/bin/python"


def versions_here() -> Mapping[str, str]:
    """Of the Python that runs this, which is the one that serves when no image does."""
    named = {name: found for name in _SHOWN if (found := _installed(name))}
    return {"Python": platform.python_version(), **named}


def versions_in(container: Container) -> Mapping[str, str]:
    """Of a container that runs one of our images; nothing where there is no such Python."""
    versions: Mapping[str, str] = {}
    with contextlib.suppress(DockerError, ValueError):
        versions = json.loads(container.execute(_IMAGE_PYTHON, "-I", "-c", _PROGRAM, *_SHOWN))
    return versions


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
