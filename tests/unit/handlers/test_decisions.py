"""What is measured at load is decided once for all workers of a server."""

import threading
from pathlib import Path
from typing import Any

import pytest

from testbed.deadlines import STOP_SECONDS

pytestmark = pytest.mark.usefixtures("handler_path")


def test_the_others_wait_for_the_first_and_read_what_it_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hf_handler.decisions import decided_once

    monkeypatch.setenv("VTS_DECISIONS", str(tmp_path))
    decides, found = threading.Event(), threading.Event()
    got: list[Any] = []

    def first() -> dict[str, float]:
        decides.set()
        assert found.wait(STOP_SECONDS)
        return {"gain": 1.5}

    def never() -> None:
        raise AssertionError("a second worker measured")

    threads = [threading.Thread(target=lambda: got.append(decided_once("engine", first)))]
    threads[0].start()
    assert decides.wait(STOP_SECONDS)
    threads.append(threading.Thread(target=lambda: got.append(decided_once("engine", never))))
    threads[1].start()
    found.set()
    for thread in threads:
        thread.join(STOP_SECONDS)
    assert got == [{"gain": 1.5}, {"gain": 1.5}]


def test_after_a_worker_that_failed_the_next_one_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hf_handler.decisions import decided_once

    monkeypatch.setenv("VTS_DECISIONS", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        decided_once("pack_budget", lambda: 1 // 0)
    assert decided_once("pack_budget", lambda: 512) == 512
    assert decided_once("pack_budget", lambda: 1024) == 512


def test_in_another_server_each_worker_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    from hf_handler.decisions import decided_once

    monkeypatch.delenv("VTS_DECISIONS", raising=False)
    assert [decided_once("engine", lambda: 1), decided_once("engine", lambda: 2)] == [1, 2]
