"""GET on the health route is answered 200 once the model can be asked, and within 10 s."""

from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken, NotRun


@must(CUSTOM_CONTAINERS)
def becomes_ready(trial: Trial) -> str:
    """GET on the health route is answered 200 once the model can be asked, and within 10 s.

    Any other status, or none in time, and Vertex AI sends no requests and ends the deployment.

    Fix: answer GET on the path of AIP_HEALTH_ROUTE with 200; look at the end of the log for why it is not
    ready. For an image with routes of its own give `--health-route` and `--predict-route`, as its model must
    name them.
    """
    start = trial.start
    if start.listening is None:
        raise NotRun("nothing listened")
    if start.ready is None:
        raise Broken(start.failure())
    return f"200 after {start.ready:.1f} s"
