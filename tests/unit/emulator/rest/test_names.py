import pytest

from vertex_torchserve.emulator.rest.names import canonical_name
from vertex_torchserve.emulator.rest.rpc_status import RpcError


def test_names_are_told_apart_from_their_versions() -> None:
    name = "projects/123/locations/us-central1/models/m"
    assert canonical_name(name, "models") == (name, None)
    assert canonical_name(f"{name}@golden", "models") == (name, "golden")


@pytest.mark.parametrize(
    "name", ["m", "projects/1/locations/l/endpoints/e", "projects/1/locations/l/models/", ""]
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(RpcError, match="is not a name"):
        canonical_name(name, "models")
