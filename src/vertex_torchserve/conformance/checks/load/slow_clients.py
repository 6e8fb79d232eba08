"""Clients that send half a request, and then nothing, don't keep others from being answered."""

from vertex_torchserve.conformance.answers import require_200
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.load import half_requests
from vertex_torchserve.conformance.sources import NO_PAGE
from vertex_torchserve.conformance.trial import Trial


@should(NO_PAGE)
def slow_clients(trial: Trial) -> str:
    """Clients that send half a request, and then nothing, don't keep others from being answered.

    Between Vertex AI and the container there are proxies; within a private network there may be none.

    Fix: serve more connections than there are workers, and end those that send nothing.
    """
    limits, count = trial.limits, trial.limits.slow_clients
    address, route = trial.address(), trial.conditions.predict_route
    with half_requests(address, route, trial.request.body(), count):
        health = trial.ask(None, method="GET", route=trial.conditions.health_route, seconds=limits.health)
        require_200(health, f"the health route beside {count} slow clients")
        answer = trial.ask(trial.request.body(), seconds=limits.health)
        require_200(answer, f"a prediction beside {count} slow clients")
    return f"a prediction beside {count} slow clients: 200 in {answer.seconds:.2f} s"
