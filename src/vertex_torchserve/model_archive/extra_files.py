"""Whether a folder that is added to an archive keeps its name there."""

import os
from pathlib import Path


def takes_content(named: str | Path) -> bool:
    """Whether what is named is the content of a folder and not the folder: `code/`, `code/.`, `.` and `..`.

    `.` and `..` have no name that could be kept. torch-model-archiver (0.3.1 to 0.12) takes every folder so.

    Args:
        named: A path as it was given; a `Path` has lost its slash, so it names the folder.
    """
    return os.fspath(named).rpartition("/")[2] in ("", ".", "..")
