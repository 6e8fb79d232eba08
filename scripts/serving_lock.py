"""Write images/torchserve-*/requirements.lock: what the serving images install, each file by its SHA-256.

Resolved by pip from pyproject.toml for the Python that runs this (3.11) on Linux x86-64, at the versions of
constraints.txt. torch and what only its CUDA build brings stay out: the Dockerfile pins torch by its version
and takes it, with the libraries it pins itself, from PyTorch's own index.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_EXTRAS = ("serving", "torchserve", "huggingface")
# pip serves the requirements of archives at run time; Debian's is years old.
_ALSO = ("pip",)
_FROM_TORCH_INDEX = re.compile(r"torch|triton|(nvidia|cuda)-.+")
# Declared by torchserve, but only a marker for Pythons without `enum`, and not published as a wheel.
_NOT_INSTALLED = "enum-compat"
_HEADER = """\
# Everything in the image but torch and this package: made by scripts/serving_lock.py, not by hand.
# Linux x86-64, CPython 3.11; complete, so it is installed with --no-deps.
"""


def main() -> int:
    """Resolve and write both locks; returns the exit code."""
    if sys.version_info[:2] != (3, 11) or sys.platform != "linux":
        print("the images run CPython 3.11 on Linux: run this with it", file=sys.stderr)  # noqa: T201
        return 2
    lock = _HEADER + "".join(f"{line}\n" for line in locked_lines(_resolve()))
    for image in ("torchserve-cpu", "torchserve-gpu"):
        (_ROOT / "images" / image / "requirements.lock").write_text(lock)
    return 0


def locked_lines(report: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
    """`name==version --hash=sha256:...` for each package of pip's installation report, by name."""
    lines = []
    for package in report["install"]:
        name = re.sub(r"[-_.]+", "-", package["metadata"]["name"]).lower()
        if name == _NOT_INSTALLED or _FROM_TORCH_INDEX.fullmatch(name):
            continue
        digest = package["download_info"]["archive_info"]["hashes"]["sha256"]  # type: ignore[index]
        lines.append(f"{name}=={package['metadata']['version']} --hash=sha256:{digest}")
    return sorted(lines)


def _resolve() -> dict[str, list[dict[str, dict[str, str]]]]:
    """What pip would install for the extras of the images."""
    extras = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = [name for extra in _EXTRAS for name in extras[extra] if not name.startswith("vertex-torchserve")]
    # fmt: off
    answer = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
            "--report", "-", "--constraint", _ROOT / "constraints.txt", *wanted, *_ALSO,
        ],
        check=True, stdout=subprocess.PIPE,
    )
    # fmt: on
    report: dict[str, list[dict[str, dict[str, str]]]] = json.loads(answer.stdout)
    return report


if __name__ == "__main__":
    sys.exit(main())
