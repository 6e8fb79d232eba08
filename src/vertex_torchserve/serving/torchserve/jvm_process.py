"""Run the JVM as a child process: pass its log on, pass SIGTERM on, tell why it ended."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import IO, cast

from vertex_torchserve.errors import VertexTorchServeError
from vertex_torchserve.serving.log.entry import LogEntry
from vertex_torchserve.serving.log.jvm_output import LISTENING, LogPipe
from vertex_torchserve.serving.log.load_failure import LoadWatch
from vertex_torchserve.serving.log.writer import LogWriter
from vertex_torchserve.serving.torchserve.jvm_command import DRAIN_DELAY_SECONDS, DRAIN_LIMIT_SECONDS
from vertex_torchserve.serving.torchserve.requirements import Installation

logger = logging.getLogger(__name__)

STOP_GRACE_SECONDS = DRAIN_DELAY_SECONDS + DRAIN_LIMIT_SECONDS + 10
_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.2
_INSTALLATION_FAILED = "Custom pip package installation failed"


class ServerProcess:
    """The JVM and the Python workers it starts, in a process group of their own.

    Args:
        writer: Where its log goes.
    """

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._failure = ""
        self._listening = False
        self._ended = threading.Event()
        self._watch = LoadWatch()
        self._why: Callable[[], str] = str  # what the log says of the failure, once all of it is read

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """The handler of SIGTERM and SIGINT: stop the JVM; before there is one, end this process."""
        if self._process is None:
            raise SystemExit(128 + number)
        self._stop()

    def run(
        self,
        command: list[str],
        environment: Mapping[str, str],
        work: Path,
        *,
        on_listening: Callable[[], None],
        make_ready: Callable[[threading.Event], None],
        installation: Installation | None = None,
    ) -> int:
        """Start, pass the log on, wait; returns the JVM's exit code, 1 for a model that can't serve.

        Args:
            command: The JVM and its arguments.
            environment: All of its environment.
            work: Its working folder.
            on_listening: Called once its ports are open.
            make_ready: Then run in a thread of its own, with an event that says the JVM has ended; one of
                our errors ends the JVM.
            installation: What is installed before; None for nothing.
        """
        self._process = subprocess.Popen(
            command,
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            # Safe beside threads: those that run wait in reads and accepts, and hold no lock.
            preexec_fn=_die_with_parent(),  # noqa: PLW1509
        )
        try:
            code = self._follow(self._process, on_listening, make_ready, installation)
        finally:
            self._ended.set()
            self._kill_group()
        return self._outcome(code)

    def _follow(
        self,
        process: subprocess.Popen[bytes],
        on_listening: Callable[[], None],
        make_ready: Callable[[threading.Event], None],
        installation: Installation | None,
    ) -> int:
        installed_by = time.monotonic() + installation.limit_seconds if installation else float("inf")
        with cast("IO[bytes]", process.stdout) as stdout:
            pipe = LogPipe(stdout)
            while (entries := pipe.read(_POLL_SECONDS)) is not None:
                self._writer.write(*entries)
                for entry in entries:
                    if entry.message == LISTENING and not self._listening:
                        self._listening = True
                        on_listening()
                        self._start_ready_check(make_ready)
                    self._observe(entry, installation)
                if installation and not self._listening and time.monotonic() > installed_by:
                    self._fail_installation(
                        installation, f"took longer than {installation.limit_seconds:g} s"
                    )
        return process.wait()

    def _observe(self, entry: LogEntry, installation: Installation | None) -> None:
        self._watch.feed(entry)
        if not self._watch.failed:
            return
        if installation and entry.message.startswith(_INSTALLATION_FAILED):
            self._fail_installation(installation, "failed")
        else:
            self._fail("the model could not be loaded", self._watch.reason)

    def _start_ready_check(self, make_ready: Callable[[threading.Event], None]) -> None:
        def check() -> None:
            try:
                make_ready(self._ended)
            except VertexTorchServeError as error:
                self._fail(str(error), lambda: self._watch.reason_of(""))
            except Exception:
                # No other thread sees this exception: without this the server would stay unready for ever.
                self._fail(f"the model could not be checked\n{traceback.format_exc()}")

        threading.Thread(target=check, name="ready-check", daemon=True).start()

    def _fail_installation(self, installation: Installation, how: str) -> None:
        said = installation.last_lines()
        self._fail(f"the installation of the model's requirements {how}; pip's last lines:\n{said}")
        # Not SIGTERM alone: the JVM would go on waiting for pip.
        self._kill_group()

    def _fail(self, reason: str, why: Callable[[], str] = str) -> None:
        if not self._stopping:
            self._failure, self._why = reason, why
            self._stop()

    def _outcome(self, code: int) -> int:
        """The exit code; what went wrong is the last entry of the log."""
        if self._failure:
            logger.error("%s", f"{self._failure}\n{self._why()}".rstrip())
            return 1
        if not self._stopping:
            why = self._watch.reason_of_the_jvm()
            logger.error("%s", f"TorchServe ended by itself with code {code}\n{why}".rstrip())
        return code if code >= 0 else 128 - code

    def _stop(self) -> None:
        if self._stopping or self._process is None:
            return
        self._stopping = True
        self._process.terminate()
        timer = threading.Timer(STOP_GRACE_SECONDS, self._kill_group)
        timer.daemon = True
        timer.start()

    def _kill_group(self) -> None:
        """End all that is left: a worker that is loading does not notice that its JVM is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, what makes the kernel end the JVM when this process is killed with SIGKILL."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return set_death_signal
