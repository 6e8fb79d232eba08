"""What is measured at load is decided once for all workers of a server: the first measures, the others read.

Workers that measured each for itself would choose differently by chance, and their answers would differ in
their last digits. A worker that waits for the first one's measurement doesn't disturb it, either.
"""

import contextlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

# Our server names in it a folder of its own that all workers can write to.
DECISIONS = "VTS_DECISIONS"


def decided_once(name: str, decide: Callable[[], Any]) -> Any:
    """Return what the first worker of this server decided; decide where this is the first.

    In another server, which names no folder, each worker decides for itself.

    Args:
        name: Of what is decided; a file's name.
        decide: Returns the decision, of JSON types; takes a second or two.
    """
    folder = os.environ.get(DECISIONS)
    if not folder:
        return decide()
    import fcntl

    with Path(folder, name).open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed, or this worker ends
        file.seek(0)
        text = file.read()
        if text:
            logger.info("%s: %s, as another worker of this server decided", name, text)
            return json.loads(text)
        decision = decide()
        file.write(json.dumps(decision))
    return decision


def decided(name: str) -> Any:
    """Return what a worker of this server has decided; None as long as none has.

    Args:
        name: Of what is decided.
    """
    folder = os.environ.get(DECISIONS)
    with contextlib.suppress(FileNotFoundError):
        text = Path(folder, name).read_text(encoding="utf-8") if folder else ""
        return json.loads(text) if text else None
