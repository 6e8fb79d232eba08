"""A new virtual environment with one Python's own pip, and what pip did when it installed a release there."""

import json
import os
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_INSTALL_SECONDS = 3600
_PROGRAM_SECONDS = 900
# pip names each file whose metadata it reads: downloaded, from its cache, or a link's own.
_LOOKED_AT = re.compile(
    r"^ *(?:Downloading|Using cached|Processing|Obtaining dependency information for \S+ from)"
    r" (?:\S*/)?([A-Za-z0-9_.]+)-(\d[^\s-]*?)(?:-\S+\.whl|\.tar\.gz|\.zip)(?:\.metadata)?(?:#\S*)?(?: |$)",
    re.MULTILINE,
)


class StepFailedError(Exception):
    """A program of an environment failed; the message is the last of what it said."""


@dataclass(frozen=True)
class Installation:
    """One `pip install` of a wheel or an sdist.

    Attributes:
        what: `wheel`, `sdist`, with the extras: `wheel [kfp]`.
        pip: Its version.
        seconds: What it took.
        packages: How many distributions there are then.
        megabytes: Of all files of the environment, byte code too.
        again: The distributions of which pip read the metadata of several versions, and those.
    """

    what: str
    pip: str
    seconds: int
    packages: int
    megabytes: int
    again: dict[str, list[str]]

    @property
    def most_versions(self) -> int:
        """How many versions pip read of the distribution of which it read most."""
        return max(map(len, self.again.values()), default=1)


class FreshEnvironment:
    """A virtual environment that holds nothing but pip, as that Python brings it."""

    def __init__(self, python: str, folder: Path) -> None:
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True, timeout=_PROGRAM_SECONDS)
        self.folder = folder
        self._python = folder / "bin" / "python"

    def install(self, file: Path, extra: str = "", constraints: Path | None = None) -> Installation:
        """Install a wheel or an sdist of this project.

        Raises:
            StepFailedError: pip can't, or what it installed doesn't fit together.
        """
        limits = ("--constraint", constraints) if constraints else ()
        began = time.monotonic()
        said = self.python(
            "-m", "pip", "install", *limits, f"{file}[{extra}]" if extra else file, seconds=_INSTALL_SECONDS
        )
        seconds = time.monotonic() - began
        self.python("-m", "pip", "check")
        looked_at = versions_looked_at(said)
        return Installation(
            what=("wheel" if file.suffix == ".whl" else "sdist") + (f" [{extra}]" if extra else ""),
            pip=self.python("-m", "pip", "--version").split()[1],
            seconds=round(seconds),
            packages=len(self.versions()),
            megabytes=round(sum(each.stat().st_size for each in self._files()) / 1e6),
            again={name: versions for name, versions in looked_at.items() if len(versions) > 1},
        )

    def versions(self) -> dict[str, str]:
        """The distributions that are installed, by their normalized names."""
        listed = self.python("-m", "pip", "list", "--format", "freeze")
        pairs = (line.split("==") for line in listed.splitlines() if "==" in line)
        return {normalized(name): version for name, version in pairs}

    def python(self, *arguments: str | Path, seconds: float = _PROGRAM_SECONDS) -> str:
        """What this Python prints."""
        return self._output([self._python, *arguments], self.folder, seconds)

    def json(self, program: Path) -> Any:
        """What a program prints as JSON, run by this Python, with none of the files beside it."""
        return json.loads(self.python("-I", program))

    def command(self, *words: str | Path, cwd: Path) -> str:
        """What a program prints that is looked for in this environment first, as if it were activated."""
        return self._output(words, cwd, _PROGRAM_SECONDS)

    def _files(self) -> list[Path]:
        return [each for each in (self.folder / "lib").rglob("*") if each.is_file() and not each.is_symlink()]

    def _output(self, words: Sequence[str | Path], cwd: Path, seconds: float) -> str:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYENV"))
        }
        environment |= {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "NO_COLOR": "1"}
        try:
            done = subprocess.run(
                words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            raise StepFailedError(str(error)) from error
        if done.returncode != 0:
            raise StepFailedError((done.stdout[-3000:] + done.stderr[-3000:]).strip())
        return done.stdout


def versions_looked_at(said: str) -> dict[str, list[str]]:
    """Of each distribution the versions whose metadata pip read, from what `pip install` printed."""
    found: dict[str, list[str]] = {}
    for name, version in _LOOKED_AT.findall(said):
        versions = found.setdefault(normalized(name), [])
        if version not in versions:
            versions.append(version)
    return found


def normalized(name: str) -> str:
    """A distribution's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
