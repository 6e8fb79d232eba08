"""A request of one byte more than 10 MB is answered or refused, and the next one answered."""

from vertex_torchserve.conformance.answers import require_200, require_no_failure
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.request_forms import padded
from vertex_torchserve.conformance.sources import ENDPOINT_TYPES
from vertex_torchserve.conformance.trial import Trial

_BYTES = (10 << 20) + 1


@should(ENDPOINT_TYPES)
def body_beyond_10_mb(trial: Trial) -> str:
    """A request of one byte more than 10 MB is answered or refused, and the next one answered.

    Vertex AI lets no such request through; a neighbour in the same network may send it.

    Fix: answer 413, and close the connection only after it was sent.
    """
    answer = trial.ask(padded(trial.request, _BYTES))
    require_no_failure(answer, f"{_BYTES:,} bytes")
    require_200(trial.ask(trial.request.body()), "the next request")
    return f"{_BYTES:,} bytes: {answer.status}; the next request: 200"
