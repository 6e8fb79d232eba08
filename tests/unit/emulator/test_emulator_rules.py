import pytest

from vertex_torchserve.emulator import rules
from vertex_torchserve.emulator.resources import canonical_name
from vertex_torchserve.emulator.rpc_status import RpcError


@pytest.mark.parametrize("alias", ["ab", "v1-0", "golden", "aB9", "a" * 128])
def test_aliases_that_are_accepted(alias: str) -> None:
    assert list(rules.aliases([alias])) == []


@pytest.mark.parametrize("alias", ["a", "v1.0", "v_1", "1a", "Golden", "end-", "a" * 129, ""])
def test_aliases_that_are_refused(alias: str) -> None:
    (problem,) = rules.aliases([alias])
    assert repr(alias) in problem


@pytest.mark.parametrize("model_id", ["m", "_m", "bert-base_2", "a" * 63])
def test_model_ids_that_are_accepted(model_id: str) -> None:
    assert list(rules.model_id(model_id)) == []


@pytest.mark.parametrize("model_id", ["1m", "-m", "M", "a.b", "a" * 64])
def test_model_ids_that_are_refused(model_id: str) -> None:
    assert len(list(rules.model_id(model_id))) == 1


@pytest.mark.parametrize("labels", [{"team": "nlp"}, {"a": ""}, {"team": "größe-1"}, {"k" * 64: "v" * 64}])
def test_labels_that_are_accepted(labels: dict[str, str]) -> None:
    assert list(rules.labels(labels)) == []


@pytest.mark.parametrize(
    "labels", [{"Team": "x"}, {"t": "X"}, {"t": "a b"}, {"t": "v" * 65}, {"k" * 65: ""}, {"": ""}, {"1a": ""}]
)
def test_labels_that_are_refused(labels: dict[str, str]) -> None:
    assert len(list(rules.labels(labels))) == 1


@pytest.mark.parametrize("endpoint_id", ["e", "my-endpoint-1", "7", "123456789"])
def test_endpoint_ids_that_are_accepted(endpoint_id: str) -> None:
    assert list(rules.endpoint_id(endpoint_id)) == []


@pytest.mark.parametrize("endpoint_id", ["E", "end-", "07", "1234567890", "a_b"])
def test_endpoint_ids_that_are_refused(endpoint_id: str) -> None:
    assert len(list(rules.endpoint_id(endpoint_id))) == 1


def test_everything_wrong_with_a_container_is_said_at_once() -> None:
    spec = {"ports": [{"containerPort": 65536}, {}], "predictRoute": "predictions/model"}
    assert list(rules.container(spec)) == [
        "container_spec.image_uri is required.",
        "container port 65536: 1 to 65535 are accepted.",
        "container port 0: 1 to 65535 are accepted.",
        "container_spec.predictRoute 'predictions/model' does not start with '/'.",
    ]


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
