"""A request may have 64 instances."""

from vertex_torchserve.conformance.answers import require_200
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.request_forms import repeated
from vertex_torchserve.conformance.sources import BATCH_PREDICTIONS
from vertex_torchserve.conformance.trial import Trial

_INSTANCES = 64


@should(BATCH_PREDICTIONS)
def batch_of_64(trial: Trial) -> str:
    """A request may have 64 instances.

    Batch prediction sends as many at a time unless the job says otherwise.

    Fix: accept more instances, working on them in smaller batches.
    """
    answer = trial.ask(repeated(trial.request, _INSTANCES))
    require_200(answer, f"{_INSTANCES} instances")
    return f"200 in {answer.seconds:.2f} s"
