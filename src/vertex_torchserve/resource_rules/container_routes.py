"""TorchServe's routes, which a model's container has, ours and Google's prebuilt one alike; and others."""

import re

HEALTH_ROUTE = "/ping"
_ROUTE = re.compile(r"/[!\"$->@-~]*")


def predict_route_of(model_name: str) -> str:
    """The route that predicts with the model of this name."""
    return f"/predictions/{model_name}"


def is_route(route: str) -> bool:
    """Whether this project's images can be asked at it: printable ASCII from `/` on, without ? and #."""
    return _ROUTE.fullmatch(route) is not None
