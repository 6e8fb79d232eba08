import pytest

from vertex_torchserve.emulator.rest import rules
from vertex_torchserve.emulator.rest.rpc_status import RpcError


@pytest.mark.parametrize("model_id", ["m", "_m", "bert-base_2", "a" * 63])
def test_model_ids_that_are_accepted(model_id: str) -> None:
    assert list(rules.model_id(model_id)) == []


@pytest.mark.parametrize("model_id", ["1m", "-m", "M", "a.b", "a" * 64])
def test_model_ids_that_are_refused(model_id: str) -> None:
    assert len(list(rules.model_id(model_id))) == 1


def test_shared_rules_are_said_in_sentences_that_name_the_value() -> None:
    with pytest.raises(RpcError) as refusal:
        rules.refuse([*rules.display_name("n" * 129), *rules.aliases(["v1.0"]), *rules.labels({"Team": ""})])
    assert (refusal.value.status, refusal.value.http_status) == ("INVALID_ARGUMENT", 400)
    first, second, third = refusal.value.message.removesuffix(".").split(". ")
    assert first.endswith("has 129 characters; 1 to 128 are accepted")
    assert second.startswith("version alias 'v1.0' is refused")
    assert third.startswith("label 'Team': a key is up to 63 lowercase letters")


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
