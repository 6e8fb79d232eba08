"""The fuzz targets run: a second of each parser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.heavy
def test_a_second_of_each_parser(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has wheels for Linux on x86_64 alone")
    ended = subprocess.run(
        [sys.executable, "-m", "scripts.fuzz_archive_parsers", "--seconds", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ended.stdout == "5 parsers, 1 s each; failed: none\n"
