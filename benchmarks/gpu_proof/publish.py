"""Publish a proof that ran on another machine: its figures as a page beside those of the other benchmarks.

    python -m benchmarks.gpu_proof.publish FILE

FILE is the gpu_proof.json that came back. Writes benchmarks/results/gpu_proof.DEVICE.json and gpu_proof.md.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.gpu_proof.page import columns_of
from benchmarks.published import RESULTS, table, write

TITLE = "A machine with a GPU"


def main() -> int:
    """Publish it and print the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_proof.publish", description=__doc__.splitlines()[0]
    )
    parser.add_argument("file", type=Path, help="gpu_proof.json, as the proof wrote it")
    found: dict[str, Any] = json.loads(parser.parse_args().file.read_text())
    sys.stdout.write(write("gpu_proof", as_report(found), RESULTS))
    return 0


def as_report(found: dict[str, Any]) -> dict[str, Any]:
    """A proof as published.py takes reports.

    Args:
        found: What gpu_proof.json holds.
    """
    device = found["device"]
    machine = {**found["machine"], **({"device": device["name"]} if device["measured"] else {})}
    return {
        "date": found["date"], "machine": machine, "programs": {"measured": found["versions"]},
        "settings": {"short": found["short"]}, "results": found["parts"], "device": device,
        "title": TITLE, "page": [device["said"], "", *_lines(found["parts"])],
    }  # fmt: skip


def _lines(parts: list[dict[str, Any]]) -> list[str]:
    lines = []
    for part in parts:
        outcome = f"{part['outcome']}, {part['took']:g} s: {_shown(part['said'])}"
        lines += [f"# {part['title']}", "", outcome, ""]
        columns = columns_of(part["rows"])
        if columns:
            rows = [[_shown(row.get(column)) for column in columns] for row in part["rows"]]
            lines += [*table(columns, rows).splitlines(), ""]
    return lines


def _shown(value: object) -> object:
    """What a cell shows; `answers[0][1]` would be a link in Markdown."""
    return "" if value is None else str(value).replace("[", "\\[")


if __name__ == "__main__":
    sys.exit(main())
