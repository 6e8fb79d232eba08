"""Which process something belongs to, and whether that process has ended: on the same Linux machine only."""

import os
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")
# The fields of /proc/PID/stat behind the program's name (proc(5)): the third of all is the state, the 22nd
# the time of the start.
_STATE, _START = 0, 19
_DEAD_STATES = {"Z", "X"}


def this_process() -> str:
    """A text that no other process has; empty where the system doesn't tell."""
    where, fields = _machine(), _fields(os.getpid())
    return f"{where} {os.getpid()} {fields[_START]}" if where and fields else ""


def has_ended(process: str) -> bool:
    """Whether a process is known to have ended; False for one of another machine or container.

    Args:
        process: As `this_process` told it there.
    """
    where, _, own = process.rpartition(" ")[0].rpartition(" ")
    if not where or where != _machine() or not own.isdecimal():
        return False
    fields = _fields(int(own))
    return not fields or fields[_STATE] in _DEAD_STATES or fields[_START] != process.rpartition(" ")[2]


def _machine() -> str:
    """This machine since its start, and this container: process ids are counted anew in each."""
    try:
        return f"{_BOOT_ID.read_text().strip()} {_PID_NAMESPACE.stat().st_ino}"
    except OSError:
        return ""


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, those behind the name, which may hold blanks; empty: there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
