"""What benchmarks write: a file for each kind of machine, and one page of them all."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.published import RESULTS, page_of, published, write

NAMES = sorted({path.name.split(".")[0] for path in RESULTS.glob("*.*.json")})


def report(instruction_set: str, date: str, found: str, **machine: str) -> dict[str, Any]:
    return {
        "date": date,
        "machine": {
            "cpu": "A CPU", "instruction_sets": [instruction_set], "cores": 2, "system": "Linux", **machine
        },
        "programs": {"ours": {"python": "3.11.7"}},
        "settings": {"at_a_time": 1}, "results": [], "title": "A title", "page": ["## Found", "", found],
    }  # fmt: skip


def test_another_kind_of_machine_has_a_file_of_its_own_and_both_stand_on_the_page(tmp_path: Path) -> None:
    write("speed", report("AVX-512", "2026-01-01", "617"), tmp_path)
    page = write("speed", report("AVX2", "2026-01-02", "275"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "speed.avx-512.json", "speed.avx2.json", "speed.md",
    ]  # fmt: skip
    assert page == (tmp_path / "speed.md").read_text() == (
        "# A title\n\n"
        "## AVX2\n\n### Found\n\n275\n\nMade by `python -m benchmarks.speed` on 2026-01-02, 2 cores of "
        "A CPU (AVX2), Linux. Settings: at a time 1. ours: python 3.11.7.\n\n"
        "## AVX-512\n\n### Found\n\n617\n\nMade by `python -m benchmarks.speed` on 2026-01-01, 2 cores of "
        "A CPU (AVX-512), Linux. Settings: at a time 1. ours: python 3.11.7.\n"
    )  # fmt: skip


def test_the_same_kind_takes_its_own_place_and_a_gpu_is_another_kind(tmp_path: Path) -> None:
    write("speed", report("AVX2", "2026-01-01", "old"), tmp_path)
    write("speed", report("AVX2", "2026-01-02", "new"), tmp_path)
    write("speed", report("AVX2", "2026-01-01", "quick", device="NVIDIA H100"), tmp_path)
    assert [each["page"][-1] for each in published("speed", tmp_path)] == ["new", "quick"]
    assert (tmp_path / "speed.avx2-nvidia-h100.json").exists()


def test_a_plot_of_all_machines_stands_above_their_tables() -> None:
    page = (RESULTS / "embedding_peers.md").read_text()
    assert page.startswith(
        "# Sentence embeddings: ours and three other servers\n\n"
        "![Requests a second and p99 over concurrency, ours and the peers, by kind of machine]"
        "(embedding_peers.svg)\n"
    )
    assert (RESULTS / "embedding_peers.svg").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_page_is_that_of_the_committed_results(name: str) -> None:
    assert (RESULTS / f"{name}.md").read_text() == page_of(name)
    for path in RESULTS.glob(f"{name}.*.json"):
        assert "instruction_sets" in json.loads(path.read_text())["machine"]
