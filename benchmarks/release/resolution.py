"""What uv chooses from the index, installing nothing: lowest versions, those of a Python that isn't here."""

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

from benchmarks.release.fresh_environment import FreshEnvironment, StepFailedError, normalized

# What takes a compiler where there is no wheel. kfp itself has none.
COMPILED = (
    "cryptography", "google-crc32c", "grpcio", "matplotlib", "numpy", "onnx", "onnxruntime", "orjson",
    "pillow", "protobuf", "psutil", "pyyaml", "safetensors", "sentencepiece", "soundfile", "tokenizers",
    "torch",
)  # fmt: skip
# Users install these; what the project's own work takes is pinned in constraints.txt.
_NOT_FOR_USERS = ("dev", "docs")


def lowest_versions(builder: FreshEnvironment, project: Path, python: str, extra: str) -> dict[str, str]:
    """Of each direct requirement of an extra the lowest declared version, of the rest what fits it.

    Raises:
        StepFailedError: No versions fit together with the lowest ones; uv has said why.
    """
    # A source distribution of years ago needs a compiler, and often one of years ago.
    return _compiled(builder, project, python, extra, "--resolution", "lowest-direct", *_wheels())


def resolved(builder: FreshEnvironment, project: Path, python: str) -> dict[str, Any]:
    """The newest versions for a Python, with wheels of what is compiled, or what uv says is in the way."""
    try:
        return {"versions": _compiled(builder, project, python, "all", *_wheels())}
    except StepFailedError as error:
        return {"problem": str(error)}


def floors(project: Path) -> dict[str, str]:
    """The lowest version that pyproject.toml declares of each package, of the extras that users install."""
    declared = tomllib.loads(project.read_text())["project"]
    extras = declared["optional-dependencies"]
    texts = [
        *declared["dependencies"],
        *(text for name in extras if name not in _NOT_FOR_USERS for text in extras[name]),
    ]
    found: dict[str, str] = {}
    for requirement in map(Requirement, texts):
        for each in requirement.specifier:
            if each.operator in {">=", "=="}:
                name = normalized(requirement.name)
                found[name] = min(found.get(name, each.version), each.version, key=Version)
    return found


def untried(declared: dict[str, str], tried: list[dict[str, str]]) -> dict[str, str]:
    """The declared lowest versions that none of the environments had."""
    return {
        name: version
        for name, version in declared.items()
        if not any(name in each and Version(each[name]) == Version(version) for each in tried)
    }


def _wheels() -> list[str]:
    return [word for name in COMPILED for word in ("--only-binary", name)]


def _compiled(
    builder: FreshEnvironment, project: Path, python: str, extra: str, *options: str
) -> dict[str, str]:
    """`NAME==VERSION` for everything that an extra needs."""
    words = ["pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    said = builder.command(
        "uv", *words, "--python-version", python, "--extra", extra, *options, project, cwd=builder.folder
    )
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", said, re.MULTILINE))
