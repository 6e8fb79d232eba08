"""Choose wheels of a folder or an index for an image that is not here: pip's own resolver, for its platform.

pip shall see what the image has installed, and not what is installed here. So it runs without its own
site-packages, beside a folder in which each package of the image has the metadata of an installed one.
"""

import importlib.metadata
import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from vertex_torchserve.archive_check.image_modules import ImageModules
from vertex_torchserve.archive_check.image_modules.resolving import (
    HELD,
    errors_of_pip,
    source_line,
    write_chosen,
)
from vertex_torchserve.archive_check.requirement_members import WHEELS
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.errors import InputError, Problem, raise_problems
from vertex_torchserve.model_archive.wheels.target_platform import TargetPlatform, read_otherwise

# The first that resolves for another platform without installing anything.
_OLDEST_PIP = (23, 3)


def wheels_by_pip_here(
    source: Path | None, target: TargetPlatform, subject: Subject, packed: bytes, work: Path
) -> list[Path]:
    """Let pip choose what the image lacks.

    Args:
        source: The folder with wheels, and nothing else is looked at. None: pip's index, which its settings
            here name, is asked, and what is chosen is downloaded.
        target: What they are chosen for.
        subject: The archive, and what the image has.
        packed: A tar of its requirements, and of what they name.
        work: A folder for pip.

    Raises:
        InputError: The wheels don't do, or pip is too old or not there.
    """
    folder, installed, report = work / "archive", work / "installed", work / "report.json"
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    _write_installed(installed, subject.image)
    constraints = work / "constraints.txt"
    constraints.write_text("".join(f"{name}=={subject.image.versions[name]}\n" for name in HELD))
    requirements = subject.requirements.member
    pip = [sys.executable, "-S", "-P", "-m", "pip"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    found_in = ["--find-links", (folder / WHEELS).as_uri()]
    if source is not None:
        # No settings of pip's on this machine: no other folder, no constraints.
        pip.append("--isolated")
        environment["PIP_CONFIG_FILE"] = os.devnull
        found_in += ["--no-index", "--find-links", source.resolve().as_uri()]
    for_target = [
        "--only-binary", ":all:", "--python-version", target.python,
        *(f"--platform={tag}" for tag in target.tags),
    ]  # fmt: skip
    command = [
        *pip, "install", "--dry-run", "--upgrade", "--report", str(report), *found_in, *for_target,
        "--constraint", str(constraints), "--requirement", requirements,
    ]  # fmt: skip
    _raise_errors(errors_of_pip(command, folder, environment), requirements, source, target)
    chosen = json.loads(report.read_text(encoding="utf-8"))["install"]
    raise_problems(_marker_problems(chosen, subject, target))
    if source is not None:
        return [_wheel(each, source) for each in chosen]
    wheels = work / "downloaded"
    wheels.mkdir()
    if chosen:
        lines = write_chosen(requirements, folder, [source_line(each) for each in chosen])
        command = [*pip, "download", "--no-deps", *for_target, "--dest", str(wheels), "--requirement", lines]
        _raise_errors(errors_of_pip(command, folder, environment), requirements, source, target)
    return sorted(wheels.iterdir())


def _raise_errors(errors: list[str], requirements: str, source: Path | None, target: TargetPlatform) -> None:
    if errors:
        lacking = f"put the wheels that lack into {source}" if source else "give a folder that has them"
        raise InputError(
            Problem(
                f"pip can't install {requirements} from {source or 'its index'} for Python {target.python} "
                f"on {target.platform}: " + "\n  ".join(errors),
                f"{lacking}, or change the versions that pip names",
            )
        )


def _write_installed(folder: Path, image: ImageModules) -> None:
    # Not importlib.util.find_spec: setuptools' finder takes it for an import of pip and gives the process
    # Python's own, deprecated distutils from then on.
    pips = list(importlib.metadata.distributions(name="pip"))
    version = pips[0].version if pips else "none"
    if not pips or tuple(map(int, version.split(".")[:2])) < _OLDEST_PIP:
        oldest = ".".join(map(str, _OLDEST_PIP))
        raise InputError(
            Problem(
                f"pip {version} can't choose wheels for another platform; {oldest} or later can",
                f"{sys.executable} -m pip install --upgrade 'pip>={oldest}'",
            )
        )
    for name, has in image.versions.items():
        metadata = folder / f"{name.replace('-', '_')}-{has}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {has}\n")
    (folder / "pip").symlink_to(Path(str(pips[0].locate_file("pip"))))


def _marker_problems(chosen: list[dict[str, Any]], subject: Subject, target: TargetPlatform) -> list[Problem]:
    named = [line.text.partition(" --")[0] for line in subject.requirements.lines if line.name]
    declared = [text for each in chosen for text in each["metadata"].get("requires_dist", ())]
    here = f"Python {sys.version_info.major}.{sys.version_info.minor} on {sys.platform}"
    return [
        Problem(
            f"{text!r} is read otherwise by pip here, {here}, than there, Python {target.python} on "
            f"{target.platform}",
            f"run this with Python {target.python} on Linux, or name an image: --vendor-wheels IMAGE",
        )
        for text in read_otherwise([*named, *declared], target.markers)
    ]


def _wheel(chosen: dict[str, Any], source: Path) -> Path:
    url = chosen["download_info"]["url"]
    path = Path(url2pathname(urlsplit(url).path))
    if not url.startswith("file:") or path.suffix != ".whl":
        raise InputError(
            Problem(
                f"{chosen['metadata']['name']} comes from {url}, which is no wheel",
                f"put its wheel into {source}, and name the package and its version in the requirements",
            )
        )
    return path
