"""Write what a benchmark found: a JSON file, and a Markdown table to read, under benchmarks/results/."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS, ROOT, Contender
from benchmarks.machine import described, machine
from vertex_torchserve.docker import Container, engine_version, inspect_image

RESULTS = ROOT / "benchmarks" / "results"
TRIALS = ROOT / "build" / "benchmarks"
PACKAGES = ("torch", "torchserve", "transformers")
Versions = dict[str, str]


def publish(
    name: str,
    title: str,
    settings: dict[str, Any],
    results: Any,
    text: str,
    *,
    trial: bool = False,
    programs: Mapping[str, Versions] | None = None,
    contenders: Sequence[Contender] = CONTENDERS,
) -> None:
    """Write `name`.json and `name`.md, and print the latter.

    Args:
        name: The program's.
        title: The heading.
        settings: What it was run with.
        results: All it found, of JSON types.
        text: The tables and sentences for readers, Markdown.
        trial: Not the whole measurement: it goes to build/benchmarks, not over a published result.
        programs: What was measured, each with the versions of its packages; None: the contenders' images.
        contenders: Whose images were measured.
    """
    surroundings = _surroundings(programs, contenders)
    report = {**surroundings, "settings": settings, "results": results}
    folder = TRIALS if trial else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
    where = _where(surroundings["machine"])
    shown = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in settings.items())
    document = (
        f"# {title}\n\n{text.strip()}\n\n"
        f"Made by `python -m benchmarks.{name}` on {surroundings['date']}, {where}. "
        f"Settings: {shown}. {_measured(surroundings)}.\n"
    )
    (folder / f"{name}.md").write_text(document)
    print(document)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: bool = False) -> str:
    """A Markdown table; `numbers`: all columns but the first are aligned to the right."""
    rules = ["---", *(["--:" if numbers else "---"] * (len(columns) - 1))]
    lines = [columns, rules, *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def with_counts(value: object) -> str:
    """A figure in words: counts by what was counted, as `2 x TimeoutError`."""
    if isinstance(value, dict):
        return ", ".join(f"{count} x {key}" for key, count in value.items())
    return str(value)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def installed_versions(python: Path | str, packages: Sequence[str] = PACKAGES) -> Versions:
    """Of Python and of packages, as an interpreter has them.

    Raises:
        CalledProcessError: When a package is not installed there.
    """
    answer = subprocess.run(
        [python, "-c", _versions_program(packages)], stdout=subprocess.PIPE, check=True, timeout=60
    )
    versions: Versions = json.loads(answer.stdout)
    return versions


def _versions_program(packages: Sequence[str]) -> str:
    return (
        "import json, platform\n"
        "from importlib.metadata import version\n"
        f"versions = {{name: version(name) for name in {tuple(packages)}}}\n"
        "print(json.dumps({'python': platform.python_version(), **versions}))\n"
    )


def _measured(surroundings: dict[str, Any]) -> str:
    """What was measured, in words."""
    if "programs" in surroundings:
        return "; ".join(f"{name}: {_listed(found)}" for name, found in surroundings["programs"].items())
    return "; ".join(
        f"{image['name']}: {image['id'][:19]}, {image['gb']:.2f} GB, {_listed(image['versions'])}"
        for image in surroundings["images"].values()
    )


def _listed(versions: Versions) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def _surroundings(programs: Mapping[str, Versions] | None, contenders: Sequence[Contender]) -> dict[str, Any]:
    date = datetime.now(UTC).date().isoformat()
    if programs is not None:
        return {"date": date, "machine": machine(), "programs": programs}
    images = {contender.name: _image(contender) for contender in contenders}
    return {"date": date, "machine": {**machine(), "docker": engine_version()}, "images": images}


def _where(found: dict[str, Any]) -> str:
    """The machine in words, with its Docker where that was used."""
    return described(found) + (f", Docker {found['docker']}" if "docker" in found else "")


def _image(contender: Contender) -> dict[str, Any]:
    facts = inspect_image(contender.image)
    options = ("--entrypoint", "sleep", "--no-healthcheck")
    with Container.run(contender.image, "60", options=options) as container:
        versions = json.loads(container.execute("python", "-c", _versions_program(PACKAGES)))
    return {"name": contender.image, "id": facts["Id"], "gb": facts["Size"] / 1e9, "versions": versions}
