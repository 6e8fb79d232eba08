"""The `Content-Type` of an answer says JSON."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken


@should(CUSTOM_CONTAINERS)
def answers_as_json(trial: Trial) -> str:
    """The `Content-Type` of an answer says JSON.

    Clients of rawPredict get the header as it is, and libraries look at it before they parse.

    Fix: send Content-Type: application/json.
    """
    said = trial.ask(trial.request.body()).content_type
    if said.partition(";")[0].strip().lower() != "application/json":
        raise Broken(f"Content-Type is {said!r}")
    return said
