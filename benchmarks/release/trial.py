"""A release with one Python: installed as its users do, and used. The environments are removed again."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.release import walks
from benchmarks.release.fresh_environment import FreshEnvironment, StepFailedError

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# The oldest Python with the torch of the CPU image, and with the lowest declared versions.
CPU = "cpu"
LOWEST = "lowest"
NAMES = (*PYTHONS, CPU, LOWEST)
# Each extra's environment, and what is done with it: what is on top of `serve` doesn't install torch anew.
EXTRAS: dict[str, tuple[str, tuple[walks.Walk, ...]]] = {
    "kfp": ("pipelines", (walks.pipeline,)),
    "serve": ("models", (walks.own_handler,)),
    "all": ("models", (walks.reference_handler, walks.demo)),
    "dev": ("models", ()),
}
USERS = ("kfp", "serve", "all")
STEPS = (walks.shown_help.__name__, *(use.__name__ for _, uses in EXTRAS.values() for use in uses))
_EXTRA_SIZES = ROOT / "benchmarks" / "extra_sizes.py"


@dataclass(frozen=True)
class Release:
    """The files that an index would have."""

    wheel: Path
    sdist: Path


def tried(
    python: str, release: Release, constraints: Mapping[str, Mapping[str, str]], folder: Path
) -> dict[str, Any]:
    """What was installed and done with one Python, of JSON types.

    Args:
        python: Its program.
        release: What is installed.
        constraints: For each extra that is tried, of EXTRAS, the versions that pip is held to.
        folder: Where environments are made.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        trial = _Trial(python, Path(scratch))
        source = trial.environment("source")
        if trial.install(source, release.sdist, "", {}):
            trial.use(source, walks.shown_help)
        for extra, versions in constraints.items():
            name, uses = EXTRAS[extra]
            environment = trial.environment(name)
            if trial.install(environment, release.wheel, extra, versions):
                for use in uses:
                    trial.use(environment, use)
        trial.measure(trial.environment("models"))
        return trial.found


class _Trial:
    """What is found with one Python; a step that fails is a finding, too."""

    def __init__(self, python: str, folder: Path) -> None:
        self._python, self._folder = python, folder
        self._work = folder / "work"
        self._work.mkdir()
        self._environments: dict[str, FreshEnvironment] = {}
        source = self.environment("source")
        self.found: dict[str, Any] = {
            "date": datetime.now(UTC).date().isoformat(),
            "python": source.python("-c", "import platform; print(platform.python_version())").strip(),
            "installations": [],
            "versions": {},
            "seconds": {},
            "extras": {},
            "failed": {},
        }

    def environment(self, name: str) -> FreshEnvironment:
        """The environment of this name, made when it is first asked for."""
        if name not in self._environments:
            self._environments[name] = FreshEnvironment(self._python, self._folder / name)
        return self._environments[name]

    def install(
        self, environment: FreshEnvironment, file: Path, extra: str, versions: Mapping[str, str]
    ) -> bool:
        """Install a file with an extra, held to versions; whether that was possible."""
        constraints = self._folder / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        try:
            done = environment.install(file, extra, constraints)
        except StepFailedError as error:
            self.found["failed"][f"install [{extra}]"] = str(error)
            return False
        self.found["installations"].append(asdict(done) | {"most_versions": done.most_versions})
        self.found["versions"][extra] = environment.versions()
        return True

    def use(self, environment: FreshEnvironment, walk: walks.Walk) -> None:
        """Do with it what a user does."""
        began = time.monotonic()
        try:
            walk(environment, self._work)
        except StepFailedError as error:
            self.found["failed"][walk.__name__] = str(error)
        else:
            self.found["seconds"][walk.__name__] = round(time.monotonic() - began, 1)

    def measure(self, environment: FreshEnvironment) -> None:
        """Measure what each extra takes of it."""
        try:
            self.found["extras"] = environment.json(_EXTRA_SIZES)
        except StepFailedError as error:
            self.found["failed"]["sizes"] = str(error)
