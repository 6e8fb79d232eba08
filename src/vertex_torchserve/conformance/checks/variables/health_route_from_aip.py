"""The server answers on the path that `AIP_HEALTH_ROUTE` names, also when that is another."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.elsewhere import OTHER_HEALTH_ROUTE
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken, NotRun


@should(CUSTOM_CONTAINERS)
def health_route_from_aip(trial: Trial) -> str:
    """The server answers on the path that `AIP_HEALTH_ROUTE` names, also when that is another.

    The route is the model's to choose, and long and with numbers where it names none. An image with routes of
    its own can be deployed only by models that name these.

    Fix: read AIP_HEALTH_ROUTE and answer GET on that path.
    """
    seen = trial.elsewhere
    if seen.port is None:
        raise NotRun("it did not start with another port and other routes")
    if not seen.health_ok:
        raise Broken(f"GET {OTHER_HEALTH_ROUTE} got {seen.health}")
    return f"GET {OTHER_HEALTH_ROUTE} got 200"
