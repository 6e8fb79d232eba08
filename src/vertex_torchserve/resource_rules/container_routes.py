"""TorchServe's routes, which a model's container has, ours and Google's prebuilt one alike."""

HEALTH_ROUTE = "/ping"


def predict_route_of(model_name: str) -> str:
    """The route that predicts with the model of this name."""
    return f"/predictions/{model_name}"
