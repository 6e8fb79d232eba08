"""The JVM as a child process: its log passed on, its signals, its end."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from vertex_torchserve.serving.jvm_command import DRAIN_LIMIT_SECONDS
from vertex_torchserve.serving.load_watch import LoadWatch

STOP_GRACE_SECONDS = DRAIN_LIMIT_SECONDS + 10
# What our Launcher prints once its ports are open.
_LISTENING = "Model server started."
_PR_SET_PDEATHSIG = 1


class ServerProcess:
    """The JVM and the Python workers it starts, in a process group of their own."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._stopping = False

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Pass a signal on; without a JVM yet, end this process as the signal would."""
        if self._process is None:
            raise SystemExit(128 + number)
        self._stop()

    def run(
        self,
        command: list[str],
        environment: Mapping[str, str],
        work: Path,
        on_listening: Callable[[], None],
    ) -> int:
        """Start, pass the log on, wait; returns the JVM's exit code, 1 for a model that can't load.

        Args:
            command: The JVM and its arguments.
            environment: All of its environment.
            work: Its working folder.
            on_listening: Called once its ports are open.
        """
        watch = LoadWatch()
        load_failed = False
        self._process = subprocess.Popen(
            command,
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            # The other threads sit in reads and accepts, and hold no lock.
            preexec_fn=_die_with_parent(),  # noqa: PLW1509
        )
        try:
            for line in self._process.stdout or ():
                sys.stdout.write(line)
                sys.stdout.flush()
                if line.rstrip("\n") == _LISTENING:
                    on_listening()
                watch.feed(line.rstrip("\n"))
                if watch.failed and not self._stopping:
                    load_failed = True
                    self._stop()
            code = self._process.wait()
        finally:
            self._kill_group()
        if load_failed:
            print(f"ERROR: the model could not be loaded\n{watch.reason()}", flush=True)  # noqa: T201
            return 1
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
        """End what is left: a worker whose JVM was killed may sit in a load for ever."""
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
