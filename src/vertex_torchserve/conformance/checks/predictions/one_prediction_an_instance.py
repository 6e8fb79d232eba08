"""There are as many predictions as instances."""

from vertex_torchserve.conformance.answers import list_of_predictions
from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.request_forms import repeated
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken


@must(CUSTOM_CONTAINERS)
def one_prediction_an_instance(trial: Trial) -> str:
    """There are as many predictions as instances.

    Clients and batch prediction match them by their place.

    Fix: answer one entry for each instance, in the order of the instances.
    """
    seen = []
    for count in (1, len(trial.request.instances) + 1):
        predictions = list_of_predictions(trial.ask(repeated(trial.request, count)))
        if len(predictions) != count:
            raise Broken(f"{len(predictions)} predictions for {count} instances")
        seen.append(f"{count} for {count}")
    return ", ".join(seen)
