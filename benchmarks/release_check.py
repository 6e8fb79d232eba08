"""Does a release install without a checkout, on each Python, with the newest and the lowest versions.

    python -m benchmarks.release_check [--only 3.12]

Needs pip's index, make, and the Pythons 3.11 to 3.14 as `python3.11` and so on, as far as they are to be
had. In new environments outside the checkout each Python's own pip installs the sdist, and the wheel that
was built from it; then the wheel is used: a pipeline is compiled, a handler of one's own and the reference
handler become proved archives, the demo runs. Writes benchmarks/results/release_check.KIND.json and
release_check.md.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.contenders import ROOT, clean_up_on_sigterm
from benchmarks.machine import kind, machine
from benchmarks.published import publish, published
from benchmarks.release.fresh_environment import FreshEnvironment
from benchmarks.release.judgement import MOST_VERSIONS, problems
from benchmarks.release.resolution import floors, lowest_versions, resolved
from benchmarks.release.tables import described
from benchmarks.release.trial import CPU, EXTRAS, LOWEST, NAMES, PYTHONS, USERS, Release, tried
from vertex_torchserve.torch_builds import DEFAULT_TORCH

_PROJECT = ROOT / "pyproject.toml"


def main() -> int:
    """Publish what was found; 1 when something failed, pip wanders, or a declared version was not tried."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        help="this alone, in the place of what is published of it; may be repeated",
    )
    names = parser.parse_args().only or NAMES
    clean_up_on_sigterm()
    found = {}
    with tempfile.TemporaryDirectory(prefix="release-check-") as scratch:
        builder, release = _built(Path(scratch))
        for name in names:
            found[name] = _found(name, Path(scratch), builder, release)
        files = {file.name: {"bytes": str(file.stat().st_size)} for file in (release.wheel, release.sdist)}
    results = _earlier() | found
    results = {name: results[name] for name in NAMES if name in results}
    settings = {"most_versions_of_a_package": MOST_VERSIONS}
    publish("release_check", "A release, installed", settings, results, described(results), programs=files)
    missed = problems(results)
    sys.stderr.writelines(f"NOT REACHED: {problem}\n" for problem in missed)
    return 1 if missed else 0


def _earlier() -> dict[str, Any]:
    """What is published of this kind of machine."""
    here = kind(machine())
    reports = [report for report in published("release_check") if kind(report["machine"]) == here]
    return {name: found for report in reports for name, found in report["results"].items()}


def _built(folder: Path) -> tuple[FreshEnvironment, Release]:
    """The environment with the tools that build, and what they built: the wheel is made from the sdist."""
    builder = FreshEnvironment(sys.executable, folder / "builder")
    builder.python("-m", "pip", "install", "build>=1.2", "uv>=0.9")
    builder.python("-m", "build", "--outdir", folder / "dist", ROOT)
    [wheel], [sdist] = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    return builder, Release(wheel, sdist)


def _found(name: str, folder: Path, builder: FreshEnvironment, release: Release) -> dict[str, Any]:
    """What is found with one Python, or with the versions that the name stands for."""
    version = PYTHONS[0] if name in {CPU, LOWEST} else name
    python = _interpreter(version)
    if python is None:
        return resolved(builder, _PROJECT, version)
    constraints: dict[str, dict[str, str]] = {extra: {} for extra in USERS}
    if name == CPU:
        # With all extras, for the README's sizes.
        constraints = {extra: {"torch": f"{DEFAULT_TORCH}+cpu"} for extra in EXTRAS}
    if name == LOWEST:
        constraints = {extra: lowest_versions(builder, _PROJECT, version, extra) for extra in USERS}
    found = tried(python, release, constraints, folder)
    return found | ({"floors": floors(_PROJECT)} if name == LOWEST else {})


def _interpreter(version: str) -> str | None:
    """The program of a Python of this version; None when there is none."""
    program = shutil.which(f"python{version}")
    if program is None or subprocess.run([program, "--version"], capture_output=True, check=False).returncode:
        return None
    return program


if __name__ == "__main__":
    raise SystemExit(main())
