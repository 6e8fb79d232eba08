"""What the emulator remembers: one JSON file, which a kill leaves as it was or as it should be."""

import fcntl
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vertex_torchserve.emulator.durable_file import write_durably
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.errors import InputError, Problem

# 2: the buckets' files lie in another form than before. 3: a version knows its image's copy.
_FORMAT = 3


class State:
    """Models, endpoints and batch prediction jobs by their full name.

    Only one emulator uses a folder at a time: the folder is locked until `close`.

    Args:
        folder: Where `vertex.json` lies; must exist.

    Raises:
        InputError: When another emulator uses the folder, or the file is not one of ours.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "vertex.json"
        self._lock = threading.RLock()
        self._guard = (folder / "vertex.lock").open("w")
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stored = self._read()
        except BlockingIOError:
            self._guard.close()
            raise InputError(
                Problem(
                    f"{folder} is in use by another emulator", "stop that one, or choose another --data-dir"
                )
            ) from None
        except InputError:
            self._guard.close()
            raise
        self.models: dict[str, Json] = stored["models"]
        self.endpoints: dict[str, Json] = stored["endpoints"]
        self.jobs: dict[str, Json] = stored["jobs"]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the lock: nothing changes meanwhile."""
        with self._lock:
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock, and write the file at the end.

        An error leaves what has been changed so far in memory, and unwritten: check first, then change.
        """
        with self._lock:
            yield
            self._write()

    def close(self) -> None:
        """Unlock the folder."""
        self._guard.close()

    def _read(self) -> Json:
        if not self._path.exists():
            return {"models": {}, "endpoints": {}, "jobs": {}}
        try:
            stored: Json = json.loads(self._path.read_text(encoding="utf-8"))
            if stored["format"] == _FORMAT:
                return stored
        except (ValueError, KeyError, TypeError):
            pass
        raise InputError(
            Problem(
                f"{self._path} is not the state of this emulator (format {_FORMAT})",
                "choose another --data-dir, or move the file away",
            )
        )

    def _write(self) -> None:
        stored = {
            "format": _FORMAT,
            "models": self.models,
            "endpoints": self.endpoints,
            "jobs": self.jobs,
        }
        write_durably(self._path, json.dumps(stored, indent=1).encode())
