"""The body of a request in other forms: repeated, padded to a size, with and without parameters."""

from dataclasses import replace

from vertex_torchserve.serving.archive.prediction_request import PredictionRequest


def repeated(request: PredictionRequest, count: int) -> bytes:
    """The request with `count` instances: its own, over and over."""
    given = request.instances
    instances = [given[index % len(given)] for index in range(count)]
    return replace(request, instances=instances).body()


def padded(request: PredictionRequest, size: int) -> bytes:
    """The request with spaces before its last brace, which JSON allows, so that it has `size` bytes."""
    body = request.body()
    return body[:-1] + b" " * (size - len(body)) + b"}"


def without_parameters(request: PredictionRequest) -> bytes:
    """The instances alone."""
    return replace(request, parameters=None).body()


def with_parameters(request: PredictionRequest) -> bytes:
    """The instances, and its parameters or an empty object of them."""
    return replace(request, parameters=request.parameters or {}).body()
