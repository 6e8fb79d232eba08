"""JSON that is no prediction request is refused with a 4xx."""

from vertex_torchserve.conformance.answers import require_refusal
from vertex_torchserve.conformance.bad_bodies import NO_REQUESTS
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import NO_PAGE
from vertex_torchserve.conformance.trial import Trial


@should(NO_PAGE)
def not_a_request(trial: Trial) -> str:
    """JSON that is no prediction request is refused with a 4xx.

    A misspelt `instances` is a client's mistake; a 5xx would have it tried again.

    Fix: answer 400 and name the field.
    """
    for body in NO_REQUESTS:
        require_refusal(trial.ask(body), f"the body {body.decode()}")
    return f"4xx for {', '.join(body.decode() for body in NO_REQUESTS)}"
