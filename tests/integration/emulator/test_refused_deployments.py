"""Without `--containers` a model that needs its own image isn't deployed: nothing stands in for it."""

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import aiplatform

from tests.commands import run_command
from vertex_torchserve.emulator import Emulator

Upload = Callable[..., aiplatform.Model]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"serving_container_image_uri": "us-docker.pkg.dev/p/r/my-server:1"}, "my-server:1"),
        ({"serving_container_command": ["serve"]}, "containerSpec.command"),
        ({"serving_container_args": ["--fast"]}, "containerSpec.args"),
        ({"serving_container_health_probe_exec": ["/check"]}, "containerSpec.healthProbe"),
        ({"artifact_uri": None}, "without artifactUri"),
    ],
)
def test_what_needs_the_image_is_refused(
    vertex: Emulator, upload: Upload, fields: dict[str, Any], named: str
) -> None:
    model = upload(**fields)
    endpoint = aiplatform.Endpoint.create(display_name="refusing")
    with pytest.raises(exceptions.MethodNotImplemented, match="--containers") as refusal:
        endpoint.deploy(model, machine_type="n1-standard-4")
    assert named in refusal.value.message
    assert endpoint.list_models() == []
    with pytest.raises(exceptions.MethodNotImplemented, match="--containers"):
        model.batch_predict(
            job_display_name="refused",
            instances_format="jsonl",
            gcs_source="gs://models/in.jsonl",
            gcs_destination_prefix="gs://models/out",
            machine_type="n1-standard-4",
        )
    endpoint.delete()


def test_containers_without_an_engine_end_at_once() -> None:
    answer = run_command("emulator", "--containers", VTS_DOCKER="no-such-client")
    assert answer.returncode == 1
    assert "there is no docker client 'no-such-client'" in answer.stderr
    assert answer.stdout == ""
