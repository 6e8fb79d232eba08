"""A served model, asked for predictions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.run import PREDICT_TIMEOUT_SECONDS, READY_TIMEOUT_SECONDS
from vertex_torchserve.smoke_test.served_plan import Server, served

_SHOWN_CHARACTERS = 500


class Answering(Protocol):
    """What golden requests are asked of: a model served here, or a version behind an endpoint."""

    def predictions(self, request: PredictionRequest, name: str) -> list[Any]:
        """One prediction for each instance.

        Args:
            request: What is asked.
            name: Of the request, in messages.

        Raises:
            ServingError: It is not answered with predictions.
        """


class ModelAsked:
    """A model that is served and ready.

    Args:
        server: What serves it.
        predict_url: Where predictions are posted.
    """

    def __init__(self, server: Server, predict_url: str) -> None:
        self._server = server
        self._url = predict_url
        self._client = httpx.Client(timeout=PREDICT_TIMEOUT_SECONDS, trust_env=False)

    def predictions(self, request: PredictionRequest, name: str) -> list[Any]:
        """One prediction for each instance.

        Args:
            request: What is asked.
            name: Of the request, in messages.

        Raises:
            ServingError: It is answered with another status than 200, or not with predictions.
        """
        try:
            response = self._client.post(
                self._url, content=request.body(), headers={"Content-Type": "application/json"}
            )
        except httpx.HTTPError as error:
            raise ServingError(f"{name} got no answer: {error!r}") from error
        if response.status_code != 200:
            reason = self._server.failure_reason(response.headers.get("x-request-id", ""))
            raise ServingError(
                f"{name} was answered {response.status_code}, 200 is needed: "
                f"{response.text[:_SHOWN_CHARACTERS]}\n{reason}".rstrip(),
                "give instances of the model's own task, or correct the model",
            )
        try:
            return request.predictions_in(response.content)
        except ServingError as error:
            raise ServingError(f"{name}: {error.message}") from error

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


@contextmanager
def asked(
    plan: ServingPlan, *, in_container: bool = False, ready_timeout_seconds: float = READY_TIMEOUT_SECONDS
) -> Iterator[ModelAsked]:
    """Serve a model, without the check by its own golden requests, and wait until it is ready.

    Args:
        plan: What is served, and how.
        in_container: Serve it in a container of the plan's image; else in a process with no Docker.
        ready_timeout_seconds: How long the model may take to load.

    Raises:
        ServingError: It never became ready.
        DockerError: When there is no engine, or no such image.
    """
    with served(plan, in_container=in_container, check_golden=False) as server:
        server.wait_ready(ready_timeout_seconds)
        model = ModelAsked(server, f"{server.base_url}{plan.predict_route}")
        try:
            yield model
        finally:
            model.close()
