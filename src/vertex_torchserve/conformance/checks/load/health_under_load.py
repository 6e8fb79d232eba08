"""While predictions are made, the health route is answered 200 within 10 s."""

import time

from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.exchange import NoAnswer, exchange
from vertex_torchserve.conformance.load import under_load
from vertex_torchserve.conformance.request_forms import repeated
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken

_PAUSE_SECONDS = 0.1


@must(CUSTOM_CONTAINERS)
def health_under_load(trial: Trial) -> str:
    """While predictions are made, the health route is answered 200 within 10 s.

    After four failures in a row Vertex AI sends the server no requests any more, just when there are many.

    Fix: answer the health route from a thread or process that predictions don't use.
    """
    limits, route, seconds = trial.limits, trial.conditions.health_route, []
    address, body = trial.address(), repeated(trial.request, 64)
    with under_load(address, trial.conditions.predict_route, body, limits) as load:
        while load.goes_on():
            try:
                answer = exchange(address, "GET", route, seconds=limits.health)
            except NoAnswer as error:
                raise Broken(f"{error}, while {limits.clients} clients asked for predictions") from error
            if answer.status != 200:
                raise Broken(f"got {answer.shown()} while {limits.clients} clients asked for predictions")
            seconds.append(answer.seconds)
            time.sleep(_PAUSE_SECONDS)
    return f"asked {len(seconds)} times beside {limits.clients} clients: 200 within {max(seconds):.2f} s"
