"""A request with an empty list of instances is answered or refused, not failed on."""

from vertex_torchserve.conformance.answers import require_no_failure
from vertex_torchserve.conformance.bad_bodies import NO_INSTANCES
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import NO_PAGE
from vertex_torchserve.conformance.trial import Trial


@should(NO_PAGE)
def no_instances(trial: Trial) -> str:
    """A request with an empty list of instances is answered or refused, not failed on.

    Fix: answer {"predictions": []}, or 400.
    """
    answer = trial.ask(NO_INSTANCES)
    require_no_failure(answer, "an empty list of instances")
    return answer.shown()
