"""A request is read whatever way its `Content-Type` spells JSON."""

from vertex_torchserve.conformance.answers import require_200
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import ONLINE_PREDICTIONS
from vertex_torchserve.conformance.trial import Trial

_SPELLINGS = ("application/json", "application/json; charset=utf-8", "Application/JSON")


@should(ONLINE_PREDICTIONS)
def json_content_types(trial: Trial) -> str:
    """A request is read whatever way its `Content-Type` spells JSON.

    Vertex AI sends `application/json`; clients of rawPredict also send it with a charset, or in capitals.

    Fix: compare the media type without its parameters and without regard to case.
    """
    for content_type in _SPELLINGS:
        answer = trial.ask(trial.request.body(), headers={"Content-Type": content_type})
        require_200(answer, content_type)
    return f"200 for {', '.join(_SPELLINGS)}"
