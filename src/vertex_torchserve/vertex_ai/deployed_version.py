"""Where a version is deployed."""

from dataclasses import dataclass

from google.cloud import aiplatform

from vertex_torchserve.vertex_ai.asked_deployed_model import AskedDeployedModel
from vertex_torchserve.vertex_ai.asked_endpoint import AskedEndpoint
from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.registered_version import ModelPlace, RegisteredVersion


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

    def asked(self) -> AskedDeployedModel:
        """It, to be asked.

        Raises:
            RegistryError: When Vertex AI refuses or fails.
        """
        with explained(f"look at {self.endpoint}"):
            endpoint = AskedEndpoint(aiplatform.Endpoint(self.endpoint))
        return AskedDeployedModel(endpoint, self.deployed_model_id)


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
