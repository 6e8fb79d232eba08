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
from testbed.loaded_handler import HANDLERS, load, write_manifest
from testbed.tiny_models import CATALOGUE, make, samples
from tests.integration.handlers.handler_models import ENCODER_TASKS

# Every model of such a task; one of them has a decoder, too.
ENCODERS = [name for name, model in CATALOGUE.items() if model.task in ENCODER_TASKS]
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
    assert share.loaded()
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


def test_smaller_packs_have_all_threads_where_that_was_measured_to_be_faster(
    handler: Any, times: Path
) -> None:
    share = handler.ThreadShare(str(times))
    share.least_tokens = 16
    with share.at_work():
        share.take(16)
        assert torch.get_num_threads() == 4
        share.take(15)
        assert torch.get_num_threads() == 2


def test_a_worker_that_has_worked_alone_is_not_expected_back(handler: Any, times: Path) -> None:
    share = handler.ThreadShare(str(times))
    share.loaded()
    idle_since = numpy.memmap(times, dtype=numpy.float64, mode="r+")

    def left_behind(during: float = 0.0) -> float:
        with share.at_work():
            idle_since[1] = during
        return float(idle_since[0])

    assert [left_behind() > 0 for _ in range(5)] == [True, True, True, False, False]
    assert left_behind(float("inf")) > 0  # the other one works
    idle_since[1] = 0.0
    assert [left_behind() > 0 for _ in range(4)] == [True, True, True, False]
    assert left_behind(time.monotonic() + 3600) > 0  # it began and ended meanwhile


def test_a_worker_that_loads_is_at_work(handler: Any, times: Path) -> None:
    first, second = (handler.ThreadShare(str(times)) for _ in range(2))
    second._slot = 1  # a lock on a number keeps off other processes, not this one
    idle_since = numpy.memmap(times, dtype=numpy.float64, mode="r+")
    idle_since[:] = float("inf")
    with first.at_work():  # it answers its example
        pass
    assert list(idle_since) == [float("inf"), float("inf")]
    assert not first.loaded()
    assert idle_since[0] <= time.monotonic()
    assert second.loaded()


def test_a_worker_learns_later_what_the_last_one_decides(handler: Any, times: Path) -> None:
    share = handler.ThreadShare(str(times))
    share.loaded()
    answers = iter([None, 16])
    share.undecided = lambda: next(answers)
    used = []
    for tokens in (16, 16, 16, 15):
        with share.at_work():
            share.take(tokens)
            used.append(torch.get_num_threads())
    assert used == [2, 4, 4, 2]


def test_threads_are_lent_to_a_short_text_where_that_is_faster_and_answers_the_same() -> None:
    from hf_handler.engines.trial import thread_decision

    short = {"input_ids": torch.ones(1, 3, dtype=torch.long), "attention_mask": torch.ones(1, 3)}

    def model(seconds: tuple[float, float], digits: float = 0.0) -> Any:
        def run(**_: torch.Tensor) -> dict[str, torch.Tensor]:
            threads = torch.get_num_threads()
            time.sleep(seconds[threads - 1])
            return {"logits": torch.ones(1, 3) + digits * threads}

        return run

    assert thread_decision(model((0.02, 0.01)), short, 1, 2)["lent"]
    assert not thread_decision(model((0.01, 0.02)), short, 1, 2)["lent"]
    differing = thread_decision(model((0.02, 0.01), digits=1e-6), short, 1, 2)
    assert differing == {"lent": False, "why": "the answers of 1 and 2 threads differ in their last digits"}
    assert torch.get_num_threads() == 1


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


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_is_measured_with_the_cores_of_the_others(
    name: str, tmp_path: Path, times: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions = tmp_path / "decisions"
    decisions.mkdir()
    monkeypatch.setenv("VTS_WORKER_TIMES", str(times))
    monkeypatch.setenv("VTS_DECISIONS", str(decisions))
    folder = make(name, tmp_path / "model")
    write_manifest(folder, config=f"handler:\n  task: {CATALOGUE[name].task}\n")
    predict = load(folder, envelope=None)
    assert (decisions / "threads").read_text()
    request = {"instances": samples(name), "parameters": CATALOGUE[name].parameters}
    assert "predictions" in predict(request).answers[0]
