"""End the processes of an interrupted demo: KFP's local runner does not end the task it waits for."""

from collections.abc import Callable

import psutil

# On SIGTERM the component stops its TorchServe before it ends, which takes seconds.
_GRACE_SECONDS = 30.0


def end_children() -> None:
    """Terminate every process this one started, and what those started; wait until they are gone."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        _signal(child.terminate)
    _, alive = psutil.wait_procs(children, timeout=_GRACE_SECONDS)
    for child in alive:
        _signal(child.kill)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
