"""The README's table of speed, and which lines its plots have."""

from typing import Any

from benchmarks.speed_plot import lines
from benchmarks.speed_table import DOCUMENT, rows, written


def row(way: str, rate: float, p99: float, **where: int) -> dict[str, Any]:
    return {"way": way, "requests_per_second": rate, "p50_ms": 1.0, "p99_ms": p99, **where}


SHORT = [
    row(way, rate / concurrency, 10 * concurrency, concurrency=concurrency)
    for concurrency in (1, 8, 32)
    for way, rate in (("ours", 90.0), ("a, slow", 50.0), ("a, fast", 100.0), ("wrong", 900.0))
]
REPORT = {
    "date": "2026-01-02",
    "machine": {"instruction_sets": ["AVX2"]},
    "results": {
        "least_cosine": {"ours": 1.0, "a, slow": 1.0, "a, fast": 1.0, "wrong": 0.5},
        "short": SHORT,
        "mixed": [row("ours", 1.5, 800), row("a, fast", 1.0, 900), row("alone", 9.0, 1)],
    },
}


def test_a_row_for_each_load_beside_the_best_peer_that_answers_right_losses_in_bold() -> None:
    assert rows(REPORT) == [
        ("AVX2, 2026-01-02", "one short text, 1", "90", "100, a, fast", "**0.90**", "10 / 10"),
        ("AVX2, 2026-01-02", "one short text, 8", "11", "12, a, fast", "**0.90**", "80 / 80"),
        ("AVX2, 2026-01-02", "one short text, 32", "2.81", "3.12, a, fast", "**0.90**", "320 / 320"),
        ("AVX2, 2026-01-02", "64 of 6 to 200 words, 1", "1.50", "1.00, a, fast", "1.50", "800 / 900"),
    ]


def test_a_line_for_ours_and_for_the_best_setting_of_each_peer() -> None:
    assert lines(SHORT) == ["ours", "a, fast", "wrong"]


def test_the_readme_has_the_table_of_what_is_published() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert written(document) == document
