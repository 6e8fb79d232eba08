"""What every task of KFP begins with."""

import logging
import signal
import sys


def begin_task() -> None:
    """Log to the task's output, and end in order when the task is cancelled."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    # KFP sends SIGTERM to a cancelled task. As an exception it ends the processes and removes the files that
    # this task has made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
