"""A worker runs on the cores of those that have nothing to do."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from testbed.deadlines import STOP_SECONDS
from testbed.loaded_handler import HANDLERS, load

CLAIM = """\
import sys
from hf_handler.threads import ThreadShare
share = ThreadShare(sys.argv[1])
with share.at_work():
    print(share._slot, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def handler() -> Any:
    from hf_handler import threads

    return threads


@pytest.fixture
def times(tmp_path: Path) -> Path:
    """Of two workers, neither of which has done anything yet."""
    file = tmp_path / "worker-times"
    file.write_bytes(bytes(16))
    return file


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_all_threads_while_the_other_has_nothing_to_do(handler: Any, times: Path) -> None:
    share = handler.ThreadShare(str(times))
    other = numpy.memmap(times, dtype=numpy.float64, mode="r+")
    with share.at_work():
        share.take(128)
        assert torch.get_num_threads() == 4
        other[1] = float("inf")
        share.take(128)
        assert torch.get_num_threads() == 2
        other[1] = time.monotonic() + 3600  # it has just ended
        share.take(128)
        assert torch.get_num_threads() == 2
        other[1] = time.monotonic() - 1
        share.take(128)
        assert torch.get_num_threads() == 4
        share.take(127)
        assert torch.get_num_threads() == 2
        assert other[0] == float("inf")
    assert torch.get_num_threads() == 2
    assert 0 < other[0] <= time.monotonic()


def test_each_process_has_a_slot_and_gives_it_back(handler: Any, times: Path) -> None:
    command = [sys.executable, "-c", CLAIM, str(times)]
    with subprocess.Popen(
        command, cwd=HANDLERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "0\n"
        share = handler.ThreadShare(str(times))
        with share.at_work():
            assert list(numpy.fromfile(times)) == [float("inf"), float("inf")]
            share.take(128)
            assert torch.get_num_threads() == 2
        other.stdin.close()
        assert other.wait(STOP_SECONDS) == 0
    again = subprocess.run(command, cwd=HANDLERS, input="", capture_output=True, text=True, check=True)
    assert again.stdout == "0\n"


def test_without_a_file_the_threads_stay(handler: Any) -> None:
    share = handler.ThreadShare(None)
    with share.at_work():
        share.take(128)
    assert torch.get_num_threads() == 2


def test_an_encoder_shares(folder: Path, times: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTS_WORKER_TIMES", str(times))
    predict = load(folder)
    assert predict({"instances": ["a text"]}).statuses == [200]
    first, second = numpy.fromfile(times)
    assert first > 0
    assert second == 0
