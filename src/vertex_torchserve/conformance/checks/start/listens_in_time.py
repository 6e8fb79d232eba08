"""The server accepts connections on its port, on every address, soon after its start."""

from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken


@must(CUSTOM_CONTAINERS)
def listens_in_time(trial: Trial) -> str:
    """The server accepts connections on its port, on every address, soon after its start.

    Vertex AI's liveness check connects to the port: four times, 10 s after each failure. Then the container
    is started anew. A server that first loads for a minute, or listens on 127.0.0.1 only, is not seen.

    Fix: listen on 0.0.0.0 and the port of AIP_HTTP_PORT first, and load the model then.
    """
    start, limit = trial.start, trial.limits.listen
    if start.listening is None:
        raise Broken(f"nothing listened on port {trial.conditions.port}: {start.failure()}")
    if start.listening > limit:
        raise Broken(f"listened after {start.listening:.1f} s; {limit:g} s are the limit")
    return f"listened after {start.listening:.1f} s"
