"""`vertex-torchserve emulator` as a process of its own."""

import contextlib
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.deadlines import STOP_SECONDS

_EXPORT = re.compile(r"export (\w+)=(\S+)\n")


@dataclass(frozen=True)
class EmulatorCommand:
    """One that runs.

    Attributes:
        process: The command's.
        environment: What its first lines tell a shell to export.
    """

    process: subprocess.Popen[str]
    environment: dict[str, str]

    def end(self, signal: int) -> tuple[str, str]:
        """Send a signal; returns what the command prints after its exports, and its standard error."""
        self.process.send_signal(signal)
        return self.process.communicate(timeout=STOP_SECONDS)


@contextlib.contextmanager
def running(
    command: Sequence[str], *, environment: Mapping[str, str], cwd: Path | None = None, variables: int = 2
) -> Iterator[EmulatorCommand]:
    """Start the command and read where it listens; it is killed at the end of the block if it still runs.

    Args:
        command: The program and its arguments.
        environment: The whole environment of the process.
        cwd: Its working directory, this process's own when None.
        variables: How many lines of exports it prints.
    """
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(variables)]
            exports = [found for found in map(_EXPORT.fullmatch, lines) if found]
            assert len(exports) == variables, (lines, process.communicate(timeout=STOP_SECONDS)[1])
            yield EmulatorCommand(process, {found[1]: found[2] for found in exports})
        finally:
            process.kill()
