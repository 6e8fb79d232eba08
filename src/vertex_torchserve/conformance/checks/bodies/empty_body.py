"""A prediction without a body is refused with a 4xx."""

from vertex_torchserve.conformance.answers import require_refusal
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import NO_PAGE
from vertex_torchserve.conformance.trial import Trial


@should(NO_PAGE)
def empty_body(trial: Trial) -> str:
    """A prediction without a body is refused with a 4xx.

    Load balancers and health checks that are set wrongly send them. A 5xx counts as the server's failure, in
    alerts and in clients that try again.

    Fix: answer 400.
    """
    answer = trial.ask(b"")
    require_refusal(answer, "an empty body")
    return answer.shown()
