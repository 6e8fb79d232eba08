"""An endpoint that is asked over HTTP: the same on Vertex AI, shared or dedicated, and on the emulator.

The SDK's raw and streaming calls know Google's hosts only.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import aiplatform

from vertex_torchserve.errors import RegistryError
from vertex_torchserve.vertex_ai.client import explained, prediction_url, session

# What a dedicated endpoint gives a request unless it says otherwise (Vertex AI, choose an endpoint type).
_SECONDS = 600.0
_DEPLOYED_MODEL = "X-Vertex-AI-Deployed-Model-Id"
# What an endpoint answers itself, without asking a model, and would answer again.
_REFUSED = (400, 401, 403, 413)


@dataclass(frozen=True)
class Prediction:
    """What an endpoint answered.

    Attributes:
        predictions: One for each instance, in their order.
        deployed_model_id: Which deployed model answered.
        model_version_id: And which version of the model that is.
    """

    predictions: list[Any]
    deployed_model_id: str
    model_version_id: str


class RawAnswer(NamedTuple):
    """The container's own answer.

    Attributes:
        status: Of HTTP.
        body: As the container sent it.
        deployed_model_id: Which deployed model answered; empty when it was the endpoint itself.
    """

    status: int
    body: bytes
    deployed_model_id: str


class AskedEndpoint:
    """An endpoint, and the connection to it."""

    def __init__(self, endpoint: aiplatform.Endpoint) -> None:
        self.name = endpoint.resource_name
        self._url = prediction_url(endpoint)
        self._session = session()

    def predict(self, instances: Sequence[Any], parameters: Mapping[str, Any] | None = None) -> Prediction:
        """Predictions for instances.

        Args:
            instances: Whatever the model's handler takes, as JSON.
            parameters: For all instances together; not sent when None.

        Raises:
            InputError: When the model refuses the instances as malformed.
            RegistryError: When the endpoint or the model fails.
        """
        body = {"instances": list(instances), **({} if parameters is None else {"parameters": parameters})}
        with explained(f"predict with {self.name}"):
            response = self._post(":predict", json.dumps(body).encode())
            if response.status_code != 200:
                raise exceptions.from_http_response(response)
            answer = response.json()
        if not isinstance(answer.get("predictions"), list):
            raise RegistryError(f"{self.name} answered without predictions: {response.text[:500]}")
        return Prediction(
            answer["predictions"], answer.get("deployedModelId", ""), answer.get("modelVersionId", "")
        )

    def raw(self, body: bytes) -> RawAnswer:
        """The container's answer to any body, or the endpoint's own while it isn't ready.

        Raises:
            InputError: When the endpoint refuses the request, such as a body that is too large.
            RegistryError: When the endpoint can't be reached, or refuses the caller.
        """
        with explained(f"ask {self.name}"):
            response = self._post(":rawPredict", body)
            answered_by = response.headers.get(_DEPLOYED_MODEL, "")
            not_ready = b"FAILED_PRECONDITION" in response.content
            if response.status_code in _REFUSED and not answered_by and not not_ready:
                raise exceptions.from_http_response(response)
        return RawAnswer(response.status_code, response.content, answered_by)

    def stream(self, body: bytes) -> Iterator[bytes]:
        """An answer in the pieces that it comes in; for a custom model on dedicated endpoints only.

        Raises:
            InputError: When the endpoint or the model refuses the request.
            RegistryError: When one of them fails.
        """
        with (
            explained(f"stream from {self.name}"),
            self._post(":streamRawPredict", body, stream=True) as response,
        ):
            if response.status_code != 200:
                raise exceptions.from_http_response(response)
            yield from response.iter_content(None)

    def _post(self, method: str, body: bytes, *, stream: bool = False) -> Any:
        headers = {"Content-Type": "application/json"}
        return self._session.post(
            self._url + method, data=body, headers=headers, timeout=_SECONDS, stream=stream
        )
