"""What a test must not leave behind: processes that hold a folder of ours, and how to wait for their end."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil


def serving_processes(marker: str) -> list[psutil.Process]:
    """Every process with `marker` in its command line or environment: entrypoints, JVMs, workers."""
    found = []
    for pid in psutil.pids():
        # Read as it lies there: this is asked many times a second. A process that is over has neither.
        with suppress(OSError, psutil.NoSuchProcess):
            files = (Path(f"/proc/{pid}/{name}") for name in ("cmdline", "environ"))
            if any(os.fsencode(marker) in file.read_bytes() for file in files):
                found.append(psutil.Process(pid))
    return found


def wait_until(
    condition: Callable[[], bool], seconds: float, what: str | Callable[[], str], *, pause: float = 0.05
) -> None:
    """Poll until `condition`, or fail after `seconds` and say `what` did not come: text, or what gives it.

    Args:
        condition: What is waited for.
        seconds: How long.
        what: Said when it did not come.
        pause: Seconds between two polls; more for a condition that starts a program, such as Docker's client.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what if isinstance(what, str) else what()}")
        time.sleep(pause)


def private_folders(root: Path) -> list[str]:
    """The toolkit's own temporary folders and files beneath a test's TMPDIR."""
    return sorted(path.name for path in root.glob("vts-*"))
