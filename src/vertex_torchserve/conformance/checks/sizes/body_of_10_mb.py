"""A request of 10 MB is answered."""

from vertex_torchserve.conformance.answers import require_200
from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.request_forms import padded
from vertex_torchserve.conformance.sources import ENDPOINT_TYPES
from vertex_torchserve.conformance.trial import Trial

_BYTES = 10 << 20


@must(ENDPOINT_TYPES)
def body_of_10_mb(trial: Trial) -> str:
    """A request of 10 MB is answered.

    Dedicated endpoints and private ones pass on as much. It is sent with spaces that JSON allows, so that the
    model gets no more than otherwise.

    Fix: raise the server's limit of a body to 10 MB and a little more.
    """
    answer = trial.ask(padded(trial.request, _BYTES))
    require_200(answer, f"{_BYTES:,} bytes")
    return f"{_BYTES:,} bytes: 200 in {answer.seconds:.2f} s"
