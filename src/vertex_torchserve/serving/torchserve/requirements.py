"""How the requirements of an archive are installed: pip's settings, and what pip said when it failed.

TorchServe runs `<venv>/bin/python -m pip install -U -r <file>`, reads pip's output only when pip has ended,
has no time limit and no settings for pip (`ModelManager.java` of 0.12). So pip gets its settings from the
environment.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.manifest import REPACK
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.setup_model_venv import MODEL_FOLDER
from vertex_torchserve.url_credentials import without_credentials

WHEELS_FOLDER = "wheels"
# Kept at the installed version, its local part (`+cpu`) included.
_PINNED = ("torch", "torchserve")
_MOST_LINES = 20
_TRACE_FOLLOWS = "Exception information:"  # of pip's own functions
# The line of pip's log behind what a package's build printed; since pip 26 it has the exit code.
_BUILD_FAILED = re.compile(r"\[present-rich\]|exited with -?\d+")
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{3} ?")


@dataclass(frozen=True)
class Installation:
    """One installation of an archive's requirements.

    Attributes:
        limit_seconds: How long it may take.
        pip_log: Where pip writes everything.
        environment: pip's settings.
    """

    limit_seconds: float
    pip_log: Path
    environment: Mapping[str, str]

    def last_lines(self) -> str:
        """What pip wrote about its first error, else its last lines; without the credentials of an index."""
        try:
            text = self.pip_log.read_text(errors="replace")
        except OSError:
            return "pip wrote no log"
        lines = [without_credentials(_TIMESTAMP.sub("", line)).rstrip() for line in text.splitlines()]
        errors = [number for number, line in enumerate(lines) if line.lstrip().startswith("ERROR: ")]
        if errors and _BUILD_FAILED.search(lines[errors[0]]):
            lines = lines[: errors[0] + 1]  # what the package's build printed stands before
        elif errors:
            lines = list(itertools.takewhile(lambda line: line != _TRACE_FOLLOWS, lines[errors[0] :]))
        return "\n".join([line for line in lines if line][-_MOST_LINES:])


def plan_installation(
    model: ModelFolder, settings: ServingSettings, work: Path, environment: Mapping[str, str]
) -> Installation | None:
    """How an archive's requirements are installed; None when it has none.

    Args:
        model: The unpacked archive. Its folder `wheels`, where it has one, is where packages come from, and
            from nowhere else unless the environment says `PIP_NO_INDEX=0`.
        settings: The time limit.
        work: A folder for the constraints, pip's log and its temporary files.
        environment: The operator's, whose settings of pip are kept.

    Raises:
        InputError: When the archive holds a module that would run in place of pip.
    """
    if model.manifest.requirements_file is None:
        return None
    # The model folder is on PYTHONPATH, and `python -m pip` takes the first pip that it finds.
    if any((model.path / name).exists() for name in ("pip.py", "pip/__init__.py")):
        raise InputError(
            Problem(
                f"{model.origin} has requirements, and a module `pip` that would run in place of pip",
                f"rename it, and {REPACK}",
            )
        )
    constraints = work / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version(name)}\n" for name in _PINNED))
    temporary = work / "pip"
    temporary.mkdir()
    log = work / "pip.log"
    own = {
        "PIP_CONSTRAINT": _joined(environment.get("PIP_CONSTRAINT"), constraints),
        # Everything goes to the log file, only warnings and errors to the pipe: TorchServe reads that when
        # pip has ended, and it holds 64 KiB.
        "PIP_LOG": str(log),
        "PIP_QUIET": "3",
        "PIP_VERBOSE": "0",
        "PIP_PROGRESS_BAR": "off",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # Removed with the work folder, also after a time-out.
        "TMPDIR": str(temporary),
        MODEL_FOLDER: str(model.path),
    }
    if "PIP_CACHE_DIR" not in environment:
        own["PIP_NO_CACHE_DIR"] = "1"
    wheels = model.path / WHEELS_FOLDER
    if wheels.is_dir():
        own["PIP_FIND_LINKS"] = _joined(environment.get("PIP_FIND_LINKS"), wheels)
        own["PIP_NO_INDEX"] = environment.get("PIP_NO_INDEX", "1")
    return Installation(settings.install_timeout_seconds, log, own)


def _joined(given: str | None, path: Path) -> str:
    """One more value of a list that pip splits at spaces; as a URL, because a path may hold spaces."""
    return f"{given or ''} {path.as_uri()}".strip()
