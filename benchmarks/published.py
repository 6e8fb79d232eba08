"""Write what a benchmark found: a JSON file, and a Markdown table to read, under benchmarks/results/."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from contenders import CONTENDERS, ROOT, Contender

from vertex_torchserve.docker import Container, engine_version, inspect_image

RESULTS = ROOT / "benchmarks" / "results"
TRIALS = ROOT / "build" / "benchmarks"
PACKAGES = ("torch", "torchserve", "transformers")
VERSIONS = f"""\
import json, platform
from importlib.metadata import version
print(json.dumps({{"python": platform.python_version(), **{{name: version(name) for name in {PACKAGES}}}}}))
"""


def publish(
    name: str, title: str, settings: dict[str, Any], results: Any, text: str, *, trial: bool = False
) -> None:
    """Write `name`.json and `name`.md, and print the latter.

    Args:
        name: The program's.
        title: The heading.
        settings: What it was run with.
        results: All it found, of JSON types.
        text: The tables and sentences for readers, Markdown.
        trial: Not the whole measurement: it goes to build/benchmarks, not over a published result.
    """
    surroundings = _surroundings()
    report = {**surroundings, "settings": settings, "results": results}
    folder = TRIALS if trial else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
    images = "; ".join(
        f"{image['name']}: {image['id'][:19]}, {image['gb']:.2f} GB, "
        + ", ".join(f"{package} {version}" for package, version in image["versions"].items())
        for image in surroundings["images"].values()
    )
    shown = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in settings.items())
    document = (
        f"# {title}\n\n{text.strip()}\n\n"
        f"Made by `python benchmarks/{name}.py` on {surroundings['date']}, {surroundings['machine']}. "
        f"Settings: {shown}. {images}.\n"
    )
    (folder / f"{name}.md").write_text(document)
    print(document)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: bool = False) -> str:
    """A Markdown table; `numbers`: all columns but the first are aligned to the right."""
    rules = ["---", *(["--:" if numbers else "---"] * (len(columns) - 1))]
    lines = [columns, rules, *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _surroundings() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Docker {engine_version()}",
        "images": {contender.name: _image(contender) for contender in CONTENDERS},
    }


def _image(contender: Contender) -> dict[str, Any]:
    facts = inspect_image(contender.image)
    options = ("--entrypoint", "sleep", "--no-healthcheck")
    with Container.run(contender.image, "60", options=options) as container:
        versions = json.loads(container.execute("python", "-c", VERSIONS))
    return {"name": contender.image, "id": facts["Id"], "gb": facts["Size"] / 1e9, "versions": versions}
