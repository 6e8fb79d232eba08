"""What a test must not leave behind: processes that hold a folder of ours, and how to wait for their end."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def serving_processes(marker: str) -> list[psutil.Process]:
    """Every process with `marker` in its command line or environment: entrypoints, JVMs, workers."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
            is_over = process.status() == psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if not is_over and any(marker in word for word in words):
            found.append(process)
    return found


def wait_until(condition: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """Poll until `condition`, or fail after `seconds` and say `what` did not come: text, or what gives it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.05)


def private_folders(root: Path) -> list[str]:
    """The toolkit's own temporary folders and files beneath a test's TMPDIR."""
    return sorted(path.name for path in root.glob("vts-*"))
