"""A lease on one upload: of several tries of it, on whatever machines, one works and the others wait.

It is a note in the bucket, beside the artifact folder, which must hold the archive alone. The holder renews
it. A lease that was not renewed for its time is taken over; so is, at once, that of a process of this machine
which has ended, unless it may have sent the upload: the service needs a moment to know of it. No clocks of
different machines are compared.
"""

import logging
import secrets
import socket
import threading
import time
from types import TracebackType

from google.api_core import exceptions

from vertex_torchserve.errors import VertexTorchServeError
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.gcs.notes import Note, read_note, remove_note, write_note
from vertex_torchserve.process_identity import has_ended, this_process

_log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
# Renewed so often in its time that a lost renewal does not end it.
_RENEWALS = 5
_PREPARING, _REGISTERING = "preparing", "registering"


class Applicant:
    """One who wants the lease on an upload.

    Args:
        path: Where the note lies.
        seconds: For how long a lease holds that is not renewed.
    """

    def __init__(self, path: GcsPath, seconds: float = LEASE_SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        self._seen: Note | None = None
        self._seen_at = 0.0
        self._told = False

    def take(self) -> "Lease | None":
        """The lease; None while another holds it.

        Raises:
            InputError: When the bucket can't be used.
            StorageError: The service goes on failing.
        """
        there = read_note(self._path)
        if there and not self._is_over(there):
            return None
        lease = Lease(self._path, self._seconds, follows_another=there is not None)
        return lease if lease.begin(there) else None

    def remove_left_note(self) -> None:
        """Remove the note of whoever made the version that is there now: one who was killed left it."""
        try:
            there = read_note(self._path)
            if there:
                remove_note(there)
        except VertexTorchServeError as failure:
            _log.info("whether a note of the upload is at %s can't be told: %s", self._path, failure.message)

    def _is_over(self, there: Note) -> bool:
        if self._seen is None or self._seen.generation != there.generation:
            self._seen, self._seen_at = there, time.monotonic()
        watched = time.monotonic() - self._seen_at
        if watched >= self._seconds:
            return True
        if there.fields.get("stage") == _PREPARING and has_ended(there.fields.get("process", "")):
            return True
        if not self._told:
            self._told = True
            _log.warning(
                "waiting for another upload of the same version, by %s (%s); if it is not alive, this one "
                "goes on in up to %.0f s",
                there.fields.get("host", "an unknown machine"),
                self._path,
                self._seconds,
            )
        return False


class Lease:
    """A lease that is held, and renewed, until the block ends.

    Args:
        path: Where the note lies.
        seconds: For how long it holds when it is not renewed.
        follows_another: Whether it was taken over from one who did not give it back.
    """

    def __init__(self, path: GcsPath, seconds: float, *, follows_another: bool) -> None:
        self.follows_another = follows_another
        self._path = path
        self._seconds = seconds
        self._fields = {
            "holder": secrets.token_hex(16),
            "host": socket.gethostname(),
            "process": this_process(),
            "stage": _PREPARING,
        }
        self._note: Note | None = None
        self._writing = threading.Lock()
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="upload-lease", daemon=True)

    def begin(self, replaces: Note | None) -> bool:
        """Write the note, unless another was faster."""
        self._note = write_note(self._path, {**self._fields, "renewal": "0"}, replaces)
        if self._note:
            self._renewing.start()
        return self._note is not None

    def may_register(self) -> bool:
        """Write down that the upload is sent now; False when another has taken the lease over."""
        return self._write(_REGISTERING)

    def __enter__(self) -> "Lease":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back, unless the upload was sent, was not refused, and may still be going on."""
        self._ended.set()
        self._renewing.join()
        was_sent = self._fields["stage"] == _REGISTERING
        may_go_on = was_sent and error is not None and not isinstance(error, exceptions.ClientError)
        if self._note and not may_go_on:
            try:
                remove_note(self._note)
            except VertexTorchServeError as failure:
                _log.warning("the note of the upload stays at %s: %s", self._path, failure.message)

    def _renew(self) -> None:
        while not self._ended.wait(self._seconds / _RENEWALS):
            try:
                if not self._write(self._fields["stage"]):
                    return
            except VertexTorchServeError as failure:
                _log.warning("the lease of the upload can't be renewed: %s", failure.message)

    def _write(self, stage: str) -> bool:
        with self._writing:
            if self._note is None:
                return False
            renewal = str(int(self._note.fields["renewal"]) + 1)
            self._fields["stage"] = stage
            self._note = write_note(self._path, {**self._fields, "renewal": renewal}, self._note)
            return self._note is not None
