"""Fetch and unpack the archive in a process that ends: `python -m vertex_torchserve.serving.fetching`.

Reading in parallel takes buffers of more than 100 MiB, and Cloud Storage's client 35 MiB of code. What a
process has allocated in many threads it rarely gives back, and the entrypoint lives as long as the server.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from vertex_torchserve.errors import ServingError, VertexTorchServeError
from vertex_torchserve.serving.archive.manifest import Manifest
from vertex_torchserve.serving.archive.store import fetch_archive
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.log.writer import LogWriter, log_to
from vertex_torchserve.serving.settings import LOG_FORMAT, ServingSettings

logger = logging.getLogger("vertex_torchserve.serving.fetching")  # run as __main__

_RESULT = "fetched.json"
_UNEXPECTED_CODE = 1


def fetch_in_child(folder: Path, work: Path) -> ModelFolder:
    """Find the archive that the environment names and unpack it, in a child process.

    Args:
        folder: Where it is unpacked; must not exist yet.
        work: A private folder.

    Raises:
        SystemExit: It can't be served, which is told in the log; the code is that of the error.
        ServingError: The child was killed.
    """
    command = [sys.executable, "-m", "vertex_torchserve.serving.fetching", str(folder), str(work / _RESULT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as child:
        try:
            code = child.wait()
        finally:
            child.kill()
    if code < 0:
        raise ServingError(
            f"the process that fetched the archive was ended by signal {-code}",
            "give the container more memory, if that was the kernel's doing",
        )
    if code:
        raise SystemExit(code)
    found = json.loads((work / _RESULT).read_text())
    return ModelFolder(folder, found["origin"], Manifest(**found["manifest"]), found["unpacked_bytes"])


def main() -> int:
    """Fetch; returns the exit code."""
    threading.Thread(target=_end_with_the_entrypoint, daemon=True).start()
    log_to(LogWriter(os.environ.get(LOG_FORMAT, "")))
    folder, result = map(Path, sys.argv[1:])
    try:
        model = fetch_archive(ServingSettings.from_environment(os.environ), folder)
    except VertexTorchServeError as error:
        logger.error("%s", error)
        return error.exit_code
    except Exception:
        logger.exception("the archive can't be fetched because of an unexpected exception")
        return _UNEXPECTED_CODE
    result.write_text(
        json.dumps(
            {
                "origin": model.origin,
                "manifest": asdict(model.manifest),
                "unpacked_bytes": model.unpacked_bytes,
            }
        )
    )
    return 0


def _end_with_the_entrypoint() -> None:
    while os.read(0, 4096):
        pass
    os._exit(_UNEXPECTED_CODE)


if __name__ == "__main__":
    sys.exit(main())
