"""A folder that nobody can write to, not even root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make it so until the block ends; skips the test where that can't be done."""
    if os.geteuid() != 0:
        mode = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(mode)
        return
    commands = (
        (["mount", "--bind", "-o", "ro", str(folder), str(folder)], ["umount", str(folder)]),
        (["chattr", "+i", str(folder)], ["chattr", "-i", str(folder)]),
    )
    for close, reopen in commands:
        if subprocess.run(close, check=False, capture_output=True).returncode == 0:
            try:
                yield
            finally:
                subprocess.run(reopen, check=True)
            return
    pytest.skip("root may neither mount nor chattr here: no folder is read-only to it")
