"""One deployed model, asked through its endpoint: what other models answer there doesn't count.

Google has no address of one deployed model, so a request is sent until the answer is from the one that is
meant; with a share of 5 % of the traffic that takes 20 tries.
"""

import time
from typing import Any

from vertex_torchserve.errors import ServingError, VertexTorchServeError
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.vertex_ai.asked_endpoint import AskedEndpoint

# An endpoint that has just been changed may answer for a while as it did before.
_PATIENCE_SECONDS = 600.0
_PAUSE_SECONDS = 0.2
_SHOWN_CHARACTERS = 500


class AskedDeployedModel:
    """A model on an endpoint that gets some of its traffic.

    Args:
        endpoint: Where it is deployed.
        deployed_model_id: Its id there.
    """

    def __init__(self, endpoint: AskedEndpoint, deployed_model_id: str) -> None:
        self._endpoint = endpoint
        self._id = deployed_model_id

    def predictions(self, request: PredictionRequest, name: str) -> list[Any]:
        """One prediction for each instance.

        Args:
            request: What is asked.
            name: Of the request, in messages.

        Raises:
            ServingError: It is answered with another status than 200, or not with predictions; the endpoint
                refuses it or can't be reached; or every answer was another model's.
        """
        body = self._answer(request.body(), name)
        try:
            return request.predictions_in(body)
        except ServingError as error:
            raise ServingError(f"{name}: {error.message}") from error

    def _answer(self, body: bytes, name: str) -> bytes:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = self._endpoint.raw(body)
            except VertexTorchServeError as error:
                raise ServingError(f"{name} was not answered: {error.message}", error.fix) from error
            said = answer.body.decode(errors="replace")[:_SHOWN_CHARACTERS]
            if answer.deployed_model_id == self._id:
                if answer.status == 200:
                    return answer.body
                raise ServingError(
                    f"{name} was answered {answer.status}, 200 is needed: {said}",
                    "give instances of the model's own task, or correct the model",
                )
            if not answer.deployed_model_id:  # the endpoint's own answer: it isn't ready yet
                time.sleep(_PAUSE_SECONDS)
        raise ServingError(
            f"{name} was not answered by deployed model {self._id} of {self._endpoint.name} in "
            f"{_PATIENCE_SECONDS:g} s; the last answer was {answer.status}: {said}",
            "look at the endpoint's traffic split, and try again when nobody changes it",
        )
