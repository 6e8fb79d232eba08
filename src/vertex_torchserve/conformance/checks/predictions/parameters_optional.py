"""A request may have `parameters` and may have none."""

from vertex_torchserve.conformance.answers import require_200
from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.request_forms import with_parameters, without_parameters
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial


@must(CUSTOM_CONTAINERS)
def parameters_optional(trial: Trial) -> str:
    """A request may have `parameters` and may have none.

    Batch prediction sends none unless the job names some; the SDK sends an empty object.

    Fix: read `parameters` if it is there, and accept an empty object.
    """
    require_200(trial.ask(without_parameters(trial.request)), "a request without parameters")
    require_200(trial.ask(with_parameters(trial.request)), "a request with parameters")
    return "200 with and without"
