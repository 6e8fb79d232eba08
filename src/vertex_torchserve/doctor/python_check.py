"""The Python that runs this, and which extras of the toolkit are installed in it."""

import platform
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version

from vertex_torchserve.doctor.finding import Finding, State

# Distribution -> the extra that brings it, and what it is for.
_EXTRAS = {
    "torch-model-archiver": ("package", "`package`, `check`"),
    "torchserve": ("torchserve", "`smoke-test`, `serve` and `golden` without Docker"),
    "transformers": ("huggingface", "the reference handler"),
    "google-cloud-aiplatform": ("vertex", "`upload`, `deploy`, `predict`, `batch-predict`, `models`"),
    "starlette": ("emulator", "`emulator`"),
    "kfp": ("component", "pipelines"),
}
_SHOWN = ("vertex-torchserve", "torch", *_EXTRAS)
_LEAST_GIB = 5


def check_python() -> list[Finding]:
    """Python's version, the extras, and the space for temporary files."""
    there = {name: found for name in _SHOWN if (found := _installed(name))}
    seen = f"Python {platform.python_version()} ({sys.executable}), " + ", ".join(
        f"{name} {found}" for name, found in there.items()
    )
    missing = {extra: use for name, (extra, use) in _EXTRAS.items() if name not in there}
    findings = [Finding("python", State.OK, seen)]
    if missing:
        findings = [
            Finding(
                "python",
                State.MISSING if "torchserve" in missing or "package" in missing else State.WARNING,
                f"{seen}; not for {', '.join(missing.values())}",
                f"pip install 'vertex-torchserve[{','.join(missing)}]'",
            )
        ]
    free = shutil.disk_usage(tempfile.gettempdir()).free / 2**30
    enough = free >= _LEAST_GIB
    fix = "" if enough else "make room, or point TMPDIR at a larger disk: archives are unpacked there"
    seen = f"{free:.1f} GiB are free in {tempfile.gettempdir()}"
    return [*findings, Finding("disk", State.OK if enough else State.WARNING, seen, fix)]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
