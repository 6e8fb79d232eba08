"""A body that is no JSON is refused with a 4xx."""

from vertex_torchserve.conformance.answers import require_refusal
from vertex_torchserve.conformance.bad_bodies import MALFORMED
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import NO_PAGE
from vertex_torchserve.conformance.trial import Trial


@should(NO_PAGE)
def malformed_json(trial: Trial) -> str:
    """A body that is no JSON is refused with a 4xx.

    A 5xx counts as the server's failure, in alerts and in clients that try again.

    Fix: answer 400 and say where the JSON ends.
    """
    for body in MALFORMED:
        require_refusal(trial.ask(body), f"the body {body!r}")
    return f"4xx for {', '.join(repr(body) for body in MALFORMED)}"
