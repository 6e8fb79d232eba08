"""The server ends within 30 s of SIGTERM."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import KUBERNETES_PODS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken


@should(KUBERNETES_PODS)
def ends_on_sigterm(trial: Trial) -> str:
    """The server ends within 30 s of SIGTERM.

    After that it is killed, with whatever it does then.

    Fix: handle SIGTERM; the first process of a container ignores it otherwise. Don't keep the container alive
    with another program, such as `tail -f /dev/null`.
    """
    stop = trial.stop
    if stop.exit_code is None:
        raise Broken(f"it still ran after {trial.limits.stop:g} s and was killed")
    return f"ended with code {stop.exit_code} after {stop.seconds:.1f} s"
