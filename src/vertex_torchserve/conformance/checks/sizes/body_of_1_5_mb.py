"""A request of 1.5 MB is answered."""

from vertex_torchserve.conformance.answers import require_200
from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.request_forms import padded
from vertex_torchserve.conformance.sources import ENDPOINT_TYPES
from vertex_torchserve.conformance.trial import Trial

_BYTES = 3 << 19


@must(ENDPOINT_TYPES)
def body_of_1_5_mb(trial: Trial) -> str:
    """A request of 1.5 MB is answered.

    Shared public endpoints pass on as much. It is sent with spaces that JSON allows, so that the model gets
    no more than otherwise.

    Fix: raise the server's limit of a body to 1.5 MB and a little more.
    """
    answer = trial.ask(padded(trial.request, _BYTES))
    require_200(answer, f"{_BYTES:,} bytes")
    return f"{_BYTES:,} bytes: 200 in {answer.seconds:.2f} s"
