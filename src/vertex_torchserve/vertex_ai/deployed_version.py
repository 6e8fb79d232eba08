"""A version where it is deployed, asked through its endpoint."""

import math
from dataclasses import dataclass
from typing import Any

from google.cloud import aiplatform

from vertex_torchserve.errors import RegistryError
from vertex_torchserve.vertex_ai.asked_endpoint import AskedEndpoint
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.registered_version import ModelPlace, RegisteredVersion

# With so many tries for each that is expected, one in 22,000 requests meets none (e to the minus ten).
_TRIES = 10


@dataclass(frozen=True)
class DeployedVersion:
    """A version on an endpoint.

    Attributes:
        endpoint: The endpoint's resource name.
        endpoint_display_name: Its display name.
        deployed_model_id: The version's deployment there.
        percent: The share of requests that it gets.
    """

    endpoint: str
    endpoint_display_name: str
    deployed_model_id: str
    percent: int

    def is_called(self, name: str) -> bool:
        """Whether a name is the endpoint's resource name, id or display name."""
        return name in (self.endpoint, self.endpoint.rpartition("/")[2], self.endpoint_display_name)

    def predict(self, instances: list[Any], parameters: dict[str, Any] | None) -> list[Any]:
        """This version's predictions; a request that another version of the endpoint answers is asked again.

        Args:
            instances: At least one.
            parameters: For all of them; None when there are none.

        Raises:
            InputError: The model refuses the request.
            RegistryError: The endpoint or the model fails, or every request went to another version.
        """
        with explained(f"look at {self.endpoint}"):
            endpoint = AskedEndpoint(aiplatform.Endpoint(self.endpoint))
        for _ in range(math.ceil(_TRIES * 100 / self.percent) if self.percent < 100 else 1):
            answer = endpoint.predict(instances, parameters)
            if answer.deployed_model_id == self.deployed_model_id:
                return answer.predictions
        raise RegistryError(
            f"{self.endpoint} sent every request to another version than the one that is to be asked",
            "look at the endpoint's traffic split, and try again when nobody changes it",
        )


def deployments_of(place: ModelPlace, version: RegisteredVersion) -> list[DeployedVersion]:
    """Where a version is deployed, also without traffic.

    Args:
        place: Where its model is.
        version: The version.

    Raises:
        RegistryError: When Vertex AI refuses or fails.
    """
    with explained("list the endpoints"):
        connect(place.project, place.location)
        endpoints = [endpoint.gca_resource for endpoint in aiplatform.Endpoint.list()]
    return [
        DeployedVersion(
            endpoint.name,
            endpoint.display_name,
            deployed.id,
            dict(endpoint.traffic_split).get(deployed.id, 0),
        )
        for endpoint in endpoints
        for deployed in endpoint.deployed_models
        if (_id(deployed.model), deployed.model_version_id)
        == (_id(version.model_resource_name), version.version_id)
    ]


def _id(model: str) -> str:
    """Of a resource name; projects stand there by number or by id."""
    return model.partition("@")[0].rpartition("/")[2]
