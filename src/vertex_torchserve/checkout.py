"""Which commit a checkout is of."""

import subprocess
from pathlib import Path


def commit_of(folder: Path) -> str:
    """The commit's full hash, with `-dirty` behind it where tracked files differ from it.

    Args:
        folder: In the checkout.

    Returns:
        `unknown` for a folder that is no checkout, and without git.
    """
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--match=", "--dirty"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()
