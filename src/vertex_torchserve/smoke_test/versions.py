"""Which versions serve: of a Python on this machine, or of the Python in a container of one of our images."""

import contextlib
import json
from collections.abc import Mapping

from vertex_torchserve.archive_check.image_modules import ImageModules
from vertex_torchserve.docker import Container, DockerError

_SHOWN = ("vertex-torchserve", "torchserve", "torch", "transformers", "tokenizers", "safetensors", "numpy")
_PROGRAM = """
import importlib.metadata, json, platform, sys
found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
named = {name: found[name] for name in sys.argv[1:] if name in found}
print(json.dumps({"Python": platform.python_version(), **named}))
"""
_IMAGE_PYTHON = "/opt/venv/bin/python"


def versions_of(python: ImageModules) -> Mapping[str, str]:
    """Of a Python on this machine that serves."""
    named = {name: python.versions[name] for name in _SHOWN if name in python.versions}
    return {"Python": python.python, **named}


def versions_in(container: Container) -> Mapping[str, str]:
    """Of a container that runs one of our images; nothing where there is no such Python."""
    versions: Mapping[str, str] = {}
    with contextlib.suppress(DockerError, ValueError):
        versions = json.loads(container.execute(_IMAGE_PYTHON, "-I", "-c", _PROGRAM, *_SHOWN))
    return versions
