import pytest

from vertex_torchserve.emulator.containers.container import Container, Place

PLACE = Place(
    "123456789012", "77", "88", {"machineType": "n1-standard-4", "acceleratorType": "NVIDIA_TESLA_T4"}
)


def test_the_platform_sets_every_documented_variable() -> None:
    spec = {
        "imageUri": "us-central1-docker.pkg.dev/p/r/i",
        "ports": [{"containerPort": 7080}, {"containerPort": 9}],
        "predictRoute": "/predictions/model",
        "healthRoute": "/ping",
    }
    container = Container.of(spec, "gs://copies/abc", PLACE)
    assert (container.predict_route, container.health_route) == ("/predictions/model", "/ping")
    assert container.environment == {
        "AIP_HTTP_PORT": "7080",
        "AIP_HEALTH_ROUTE": "/ping",
        "AIP_PREDICT_ROUTE": "/predictions/model",
        "AIP_STORAGE_URI": "gs://copies/abc",
        "AIP_MODE": "PREDICTION",
        "AIP_MODE_VERSION": "1.0.0",
        "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
        "AIP_ENDPOINT_ID": "77",
        "AIP_DEPLOYED_MODEL_ID": "88",
        "AIP_MODEL_NAME": "77",
        "AIP_VERSION_NAME": "88",
        "AIP_MACHINE_TYPE": "n1-standard-4",
        "AIP_ACCELERATOR_TYPE": "NVIDIA_TESLA_T4",
        "AIP_PROJECT_NUMBER": "123456789012",
    }


def test_routes_and_port_default_to_the_documented_ones() -> None:
    container = Container.of({"imageUri": "custom"}, "", PLACE)
    assert container.predict_route == "/v1/endpoints/77/deployedModels/88:predict"
    assert container.health_route == "/v1/endpoints/77/deployedModels/88"
    assert container.environment["AIP_HTTP_PORT"] == "8080"


@pytest.mark.parametrize("name", ["pytorch-cpu.2-4:latest", f"pytorch-gpu.2-3@sha256:{'0' * 64}"])
def test_a_prebuilt_image_knows_its_routes(name: str) -> None:
    image = f"us-docker.pkg.dev/vertex-ai/prediction/{name}"
    container = Container.of({"imageUri": image}, "", PLACE)
    assert (container.predict_route, container.health_route) == ("/predictions/model", "/ping")


def test_no_accelerator_leaves_its_variable_unset() -> None:
    container = Container.of({"imageUri": "i"}, "", Place("1", "2", "3", {}))
    assert "AIP_ACCELERATOR_TYPE" not in container.environment


def test_later_variables_may_use_earlier_ones_and_the_platforms() -> None:
    env = [
        {"name": "FIRST", "value": "$(SECOND)"},
        {"name": "SECOND", "value": "$(AIP_STORAGE_URI)/model.mar"},
        {"name": "THIRD", "value": "<$(SECOND)>"},
        {"name": "EMPTY"},
    ]
    environment = Container.of({"imageUri": "i", "env": env}, "gs://c", PLACE).environment
    assert environment["FIRST"] == "$(SECOND)"
    assert environment["SECOND"] == "gs://c/model.mar"
    assert environment["THIRD"] == "<gs://c/model.mar>"
    assert environment["EMPTY"] == ""


def test_command_and_args_are_expanded_as_the_environment_is() -> None:
    spec = {
        "imageUri": "i",
        "command": ["/serve", "--port=$(AIP_HTTP_PORT)"],
        "args": ["$(MODE)", "$$(MODE)", "$(UNKNOWN)"],
        "env": [{"name": "MODE", "value": "fast"}],
        "ports": [{"containerPort": 9000}],
        "sharedMemorySizeMb": "64",
        "deploymentTimeout": "90.500s",
    }
    container = Container.of(spec, "", PLACE)
    assert container.command == ("/serve", "--port=9000")
    assert container.args == ("fast", "$(MODE)", "$(UNKNOWN)")
    assert (container.port, container.shared_memory_mb, container.deployment_seconds) == (9000, 64, 90.5)
