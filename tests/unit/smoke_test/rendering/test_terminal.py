"""The report as Rich prints it."""

import io

import pytest
from rich.console import Console

from tests.unit.smoke_test.rendering.reports import AS_SHOWN, FAILED, PASSED
from vertex_torchserve.smoke_test.rendering.terminal import for_terminal
from vertex_torchserve.smoke_test.rendering.units import duration, size
from vertex_torchserve.smoke_test.report import SmokeTestReport


def printed(report: SmokeTestReport) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(*for_terminal(report), sep="\n")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_checks_phases_load_and_findings() -> None:
    text = printed(PASSED)
    assert "│ ready   │ ok     │ ready after 9.25 s" in text
    assert "not covered proved with transformers 5.23.0, the serving image has 5.20.0" in text
    assert "phases: fetch 500 ms, JVM 2.2 s, load 6.5 s, first answer 40 ms" in text
    assert "│ 2       │ 60.0       │ 32 ms  │ 48 ms     │ 0" in text
    assert "warning handler.py:3: imports cv2; fix: package it [imports]" in text


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    text = printed(FAILED)
    assert "│ ready   │ failed │ first line" in text
    assert AS_SHOWN in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "< 1 ms"), (0.0032, "3.2 ms"), (0.43, "430 ms"), (6.54, "6.5 s"), (600.0, "600.0 s")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (91_600_000, "91.6 MB"),
        (12_000_000_000, "12.0 GB"),
    ],
)
def test_sizes(count: int, expected: str) -> None:
    assert size(count) == expected
