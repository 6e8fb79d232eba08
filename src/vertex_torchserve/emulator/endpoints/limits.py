"""How much a request to an endpoint may be, and how long it may take (Vertex AI, choose an endpoint type)."""

from typing import NamedTuple

from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import invalid


class Limits(NamedTuple):
    """An endpoint's limits.

    Attributes:
        request_bytes: The largest body.
        seconds: How long the container may take.
    """

    request_bytes: int
    seconds: float

    @classmethod
    def of(cls, endpoint: Json) -> "Limits":
        """1.5 MB and 60 s; 10 MB and, unless it says otherwise, 600 s on a dedicated endpoint."""
        if not endpoint.get("dedicatedEndpointEnabled"):
            return cls(1_500_000, 60.0)
        timeout = endpoint.get("clientConnectionConfig", {}).get("inferenceTimeout", "600s")
        return cls(10_000_000, float(timeout.removesuffix("s")))

    def check(self, body: bytes) -> None:
        """Refuse a body that is too large.

        Raises:
            RpcError: INVALID_ARGUMENT.
        """
        if len(body) > self.request_bytes:
            raise invalid(f"The request has {len(body)} bytes; {self.request_bytes} are accepted.")


def dedicated_dns(endpoint_name: str) -> str:
    """The host of a dedicated endpoint: `ID.LOCATION-PROJECT_NUMBER.prediction.vertexai.goog`."""
    _, number, _, location, _, endpoint_id = endpoint_name.split("/")
    return f"{endpoint_id}.{location}-{number}.prediction.vertexai.goog"
