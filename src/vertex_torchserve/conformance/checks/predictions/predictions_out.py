"""An answer is a JSON object with `predictions`."""

from vertex_torchserve.conformance.answers import predictions_of
from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial


@must(CUSTOM_CONTAINERS)
def predictions_out(trial: Trial) -> str:
    """An answer is a JSON object with `predictions`.

    Vertex AI passes nothing else of it on to clients.

    Fix: answer {"predictions": [...]}.
    """
    answer = trial.ask(trial.request.body())
    predictions_of(answer)
    return f"{len(answer.body)} bytes in {answer.seconds:.2f} s"
