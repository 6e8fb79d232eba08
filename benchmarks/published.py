"""Write what a benchmark found under benchmarks/results/: a JSON file for each kind of machine, and one page.

A result of a machine with other instruction sets has another file, so no run takes the place of one that
can't be compared with it; the page has them all.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS, ROOT, Contender
from benchmarks.machine import described, kind, machine
from vertex_torchserve.docker import Container, engine_version, inspect_image

RESULTS = ROOT / "benchmarks" / "results"
TRIALS = ROOT / "build" / "benchmarks"
PACKAGES = ("torch", "torchserve", "transformers")
# Plots of all kinds of machine, and what they show; a program of its own draws each beside the page.
PLOTS = {
    "embedding_peers": "Requests a second and p99 over concurrency, ours and the peers, by kind of machine"
}
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
    device: str = "",
) -> None:
    """Write `name`.KIND.json for this kind of machine, and `name`.md of all kinds; print the latter.

    Args:
        name: The program's.
        title: The heading.
        settings: What it was run with.
        results: All it found, of JSON types.
        text: The tables and sentences for readers, Markdown.
        trial: Not the whole measurement: it goes to build/benchmarks, not over a published result.
        programs: What was measured, each with the versions of its packages; None: the contenders' images.
        contenders: Whose images were measured.
        device: The accelerator that it ran on; empty for the CPU.
    """
    surroundings = _surroundings(programs, contenders)
    if device:
        surroundings["machine"]["device"] = device
    page = text.strip().splitlines()
    report = {**surroundings, "settings": settings, "results": results, "title": title, "page": page}
    print(write(name, report, TRIALS if trial else RESULTS))


def write(name: str, report: dict[str, Any], folder: Path) -> str:
    """Write a report to the file of its kind of machine, and the page of all kinds.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suffix = re.sub(r"[^a-z0-9]+", "-", kind(report["machine"]).lower())
    (folder / f"{name}.{suffix}.json").write_text(json.dumps(report, indent=2) + "\n")
    page = page_of(name, folder)
    (folder / f"{name}.md").write_text(page)
    return page


def published(name: str, folder: Path = RESULTS) -> list[dict[str, Any]]:
    """What a program found on each kind of machine, the newest first."""
    reports = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{name}.*.json"))]
    return sorted(reports, key=lambda report: str(report["date"]), reverse=True)


def page_of(name: str, folder: Path = RESULTS) -> str:
    """A program's page: its plot, and a section for each kind of machine that it ran on."""
    reports = published(name, folder)
    sections = [_section(name, report) for report in reports]
    plot = [f"![{PLOTS[name]}]({name}.svg)"] if name in PLOTS else []
    return "\n\n".join([f"# {reports[0]['title']}", *plot, *sections]) + "\n"


def _section(name: str, report: dict[str, Any]) -> str:
    """One machine's tables, their headings a level deeper than the section's."""
    text = re.sub("^#", "##", "\n".join(report["page"]), flags=re.MULTILINE)
    shown = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in report["settings"].items())
    return (
        f"## {kind(report['machine'])}\n\n{text}\n\n"
        f"Made by `python -m benchmarks.{name}` on {report['date']}, {_where(report['machine'])}. "
        f"Settings: {shown}. {_measured(report)}."
    )


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
