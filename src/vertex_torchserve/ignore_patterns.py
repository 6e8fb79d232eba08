"""Which files of a model folder stay out: names and glob patterns, the same for GCS and for disk."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath


def is_ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether a file is matched by one of the patterns.

    A pattern matches the whole relative name (`runs/*`), the base name (`optimizer.pt`, `*.log`), or any
    folder above it, by its name or its relative name (`checkpoint-*`, `runs/old`). `*` also crosses `/`.

    Args:
        name: The file's name relative to the model folder, with `/`.
        patterns: Names and glob patterns; case matters.
    """
    path = PurePosixPath(name)
    folders = [str(folder) for folder in path.parents if folder.name]
    candidates = {name, *folders, *path.parts}
    return any(fnmatchcase(each, pattern.rstrip("/")) for each in candidates for pattern in patterns)
