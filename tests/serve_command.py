"""The command `serve` while it runs: what it has printed, and its end."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from testbed.deadlines import READY_SECONDS, STOP_SECONDS
from testbed.processes import private_folders, serving_processes, wait_until
from tests.commands import COMMAND


class Served:
    """What a `serve` that runs has printed so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lines(self, beginning: str) -> list[str]:
        """Lines of its output that begin so, without what they begin with."""
        lines = [line.strip() for line in self._text().splitlines()]
        return [line[len(beginning) :] for line in lines if line.startswith(beginning)]

    def wait(self, beginning: str, count: int = 1) -> str:
        """The last of so many such lines."""
        wait_until(
            lambda: len(self.lines(beginning)) >= count,
            READY_SECONDS,
            lambda: f"{beginning!r} in what was printed:\n{self._text()}",
        )
        return self.lines(beginning)[count - 1]

    def answer(self, line: str) -> Any:
        """The predictions that a printed curl line gets; None while nobody gives any."""
        _, url, option, header, _, body = shlex.split(line)
        assert (option, header) == ("-H", "Content-Type: application/json")
        try:
            said = httpx.post(url, content=body, headers={"Content-Type": "application/json"})
        except httpx.TransportError:
            return None
        return said.json()["predictions"] if said.is_success else None

    def _text(self) -> str:
        return (self._folder / "out").read_text() + (self._folder / "err").read_text()


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Served]:
    """The command while it runs; `folder` is its TMPDIR and gets its output. Then Ctrl-C: nothing is left."""
    folder.mkdir()
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [COMMAND, "serve", *arguments],
            stdout=out, stderr=err, cwd=folder.parent, env=_environment(folder),
            # A shell starts what it puts in the background with SIGINT ignored, and so may this run be.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        try:
            yield Served(folder)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
    assert process.returncode == 130
    assert private_folders(folder) == []
    assert not serving_processes(str(folder))


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "COLUMNS": "200", "NO_COLOR": "1"}
