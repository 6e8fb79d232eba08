"""The server listens on the port that `AIP_HTTP_PORT` names, also when that is another."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken


@should(CUSTOM_CONTAINERS)
def port_from_aip(trial: Trial) -> str:
    """The server listens on the port that `AIP_HTTP_PORT` names, also when that is another.

    The port is the model's to choose. An image with a port of its own can be deployed only by models that
    name this one, and by no model that names none unless it is 8080.

    Fix: read AIP_HTTP_PORT, with 8080 where it is not set.
    """
    seen = trial.elsewhere
    if seen.port is None:
        raise Broken(f"told {seen.told_port}, and nothing listened there; the log ends: {seen.log_tail}")
    if seen.port != seen.told_port:
        raise Broken(f"told {seen.told_port}, it listened on {seen.port}")
    return f"told {seen.told_port}, it listened there"
