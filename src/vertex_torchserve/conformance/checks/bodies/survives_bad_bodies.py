"""After bad requests good ones are answered as before."""

import contextlib

from vertex_torchserve.conformance.answers import require_200
from vertex_torchserve.conformance.bad_bodies import BAD_BODIES
from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.exchange import NoAnswer, exchange
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial

_TIMES = 3


@must(CUSTOM_CONTAINERS)
def survives_bad_bodies(trial: Trial) -> str:
    """After bad requests good ones are answered as before.

    One client's mistake must not end the model for all.

    Fix: keep nothing of a request that failed; catch what a bad body raises where it is read.
    """
    address, route = trial.address(), trial.conditions.predict_route
    for body in BAD_BODIES * _TIMES:
        with contextlib.suppress(NoAnswer):
            exchange(address, "POST", route, body, seconds=trial.limits.answer)
    require_200(trial.ask(trial.request.body()), f"a good request after {_TIMES * len(BAD_BODIES)} bad ones")
    return f"200 after {_TIMES * len(BAD_BODIES)} bad requests"
