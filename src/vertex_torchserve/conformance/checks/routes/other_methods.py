"""Another method than POST on the predict route is refused with a 4xx."""

from vertex_torchserve.conformance.answers import require_refusal
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import NO_PAGE
from vertex_torchserve.conformance.trial import Trial


@should(NO_PAGE)
def other_methods(trial: Trial) -> str:
    """Another method than POST on the predict route is refused with a 4xx.

    Fix: answer 405.
    """
    answer = trial.ask(None, method="GET")
    require_refusal(answer, "GET on the predict route")
    return answer.shown()
