"""The files of examples/kubernetes are what Kubernetes and KServe take."""

import json
from typing import Any

import jsonschema
import kubernetes.client.models as kubernetes_models
import pytest

from scripts.kserve_schema import SCHEMAS, used_part
from testbed.kubernetes_examples import deployed_pod, kserve_pod, objects
from vertex_torchserve.serving.torchserve.jvm_process import STOP_GRACE_SECONDS

KSERVE = objects("kserve.yaml")
PLAIN = objects("deployment.yaml")
# Types of Kubernetes' API that are no models of its client.
PLAIN_TYPES: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "object": (str, int)}


@pytest.mark.parametrize("kind", ["ServingRuntime", "InferenceService"])
def test_kserves_crds_take_them(kind: str) -> None:
    example = KSERVE[kind]
    schema = json.loads(SCHEMAS.read_text())[f"{example['apiVersion']}/{kind}"]
    jsonschema.validate(example, schema)


def test_a_field_that_kserve_does_not_have_is_told() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    assert used_part(schema, {"name": "a"}, "Kind") == {**schema, "additionalProperties": False}
    with pytest.raises(KeyError, match=r"Kind\.nmae"):
        used_part(schema, {"nmae": "a"}, "Kind")


@pytest.mark.parametrize(("kind", "model"), [("Deployment", "V1Deployment"), ("Service", "V1Service")])
def test_kubernetes_takes_them(kind: str, model: str) -> None:
    assert list(problems(PLAIN[kind], model, kind)) == []


def test_what_kubernetes_does_not_take_is_found() -> None:
    probe = {"httpget": {"port": 1}, "tcpSocket": {}, "periodSeconds": "5"}
    assert list(problems(probe, "V1Probe", "probe")) == [
        "probe.httpget is no field of V1Probe",
        "probe.tcpSocket: Invalid value for `port`, must not be `None`",
        "probe.periodSeconds: '5' is no int",
    ]


def problems(value: Any, type_name: str, path: str) -> list[str]:
    """Where a value is not what the models of Kubernetes' client describe: fields, types, what is missing."""
    if type_name.startswith("list["):
        return [found for entry in value for found in problems(entry, type_name[5:-1], f"{path}[]")]
    if type_name.startswith("dict("):
        return [found for entry in value.values() for found in problems(entry, "str", f"{path}{{}}")]
    if type_name in PLAIN_TYPES:
        fits = isinstance(value, PLAIN_TYPES[type_name])
        return [] if fits else [f"{path}: {value!r} is no {type_name}"]
    model = getattr(kubernetes_models, type_name)
    attributes = {field: attribute for attribute, field in model.attribute_map.items()}
    found = []
    for field, entry in value.items():
        if field in attributes:
            found += problems(entry, model.openapi_types[attributes[field]], f"{path}.{field}")
        else:
            found.append(f"{path}.{field} is no field of {type_name}")
    try:
        model(**{attributes[field]: entry for field, entry in value.items() if field in attributes})
    except ValueError as error:
        found.append(f"{path}: {error}")
    return found


@pytest.mark.parametrize("pod", [deployed_pod(), kserve_pod()], ids=["deployment", "kserve"])
def test_a_pod_is_not_killed_before_its_server_has_drained(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    assert STOP_GRACE_SECONDS == 30
    assert pod["terminationGracePeriodSeconds"] >= int(command[1]) + STOP_GRACE_SECONDS


def test_the_services_port_is_the_containers() -> None:
    (port,) = PLAIN["Service"]["spec"]["ports"]
    (container,) = deployed_pod()["containers"]
    assert [port["targetPort"]] == [each["name"] for each in container["ports"]] == ["http"]
    selector = PLAIN["Service"]["spec"]["selector"]
    template = PLAIN["Deployment"]["spec"]["template"]
    assert (
        selector == template["metadata"]["labels"] == PLAIN["Deployment"]["spec"]["selector"]["matchLabels"]
    )


def test_kserve_lists_the_protocol_that_is_served() -> None:
    assert KSERVE["ServingRuntime"]["spec"]["protocolVersions"] == ["v1"]
