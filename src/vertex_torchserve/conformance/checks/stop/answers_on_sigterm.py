"""Requests that the server has when it gets SIGTERM are answered."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import KUBERNETES_PODS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken, NotRun


@should(KUBERNETES_PODS)
def answers_on_sigterm(trial: Trial) -> str:
    """Requests that the server has when it gets SIGTERM are answered.

    Replicas are stopped when traffic falls, and when a model is replaced. Google documents no more than that;
    what is tried is what Kubernetes does.

    Fix: on SIGTERM accept no more connections, answer what was accepted, and end then. A shell as the
    container's first process does not pass the signal on: start the server with `exec`.
    """
    stop = trial.stop
    if stop.refused:
        raise NotRun(f"a request was refused before the signal was sent: {stop.refused}")
    if not stop.in_flight:
        raise NotRun("every request was answered before the signal was sent")
    if stop.lost:
        raise Broken(f"{len(stop.lost)} of {stop.in_flight} requests were lost: {stop.lost[0]}")
    return f"{stop.in_flight} requests were on their way, all were answered"
