"""The server answers on the path that `AIP_PREDICT_ROUTE` names, also when that is another."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial


@should(CUSTOM_CONTAINERS)
def predict_route_from_aip(trial: Trial) -> str:
    """The server answers on the path that `AIP_PREDICT_ROUTE` names, also when that is another.

    The route is the model's to choose, and long and with numbers where it names none. An image with routes of
    its own can be deployed only by models that name these.

    Fix: read AIP_PREDICT_ROUTE and answer POST on that path.
    """
    return trial.elsewhere.answered(trial.elsewhere.predict)
