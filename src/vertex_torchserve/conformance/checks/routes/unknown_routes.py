"""A path that the server does not know is refused with a 4xx."""

from vertex_torchserve.conformance.answers import require_refusal
from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import NO_PAGE
from vertex_torchserve.conformance.trial import Trial

_ROUTE = "/no-such-route"


@should(NO_PAGE)
def unknown_routes(trial: Trial) -> str:
    """A path that the server does not know is refused with a 4xx.

    A server that answers everything with 200 calls itself healthy on a misspelt route.

    Fix: answer 404.
    """
    for method, body in (("GET", None), ("POST", trial.request.body())):
        answer = trial.ask(body, route=_ROUTE, method=method)
        require_refusal(answer, f"{method} {_ROUTE}")
    return f"{answer.status} for GET and POST {_ROUTE}"
