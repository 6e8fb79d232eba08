"""An endpoint of the emulator with a model that writes, as the documents about clients ask it."""

from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from testbed.packaged_models import package
from tests.integration.docs.deployed_model import run_cells
from vertex_torchserve.emulator import Emulator

# As notebooks that leave routes and ports to the defaults upload, on an endpoint with a host of its own.
DEPLOY = """\
model = aiplatform.Model.upload(
    display_name="writer",
    artifact_uri="gs://models/text-generation",
    serving_container_image_uri=SERVE_DOCKER_URI,
    serving_container_environment_variables={"VTS_WORKERS": "1", "OMP_NUM_THREADS": "1"},
)
model.wait()
endpoint = aiplatform.Endpoint.create(display_name="writer-endpoint", dedicated_endpoint_enabled=True)
deployed_model = model.deploy(
    endpoint=endpoint, machine_type="g2-standard-12", accelerator_type="NVIDIA_L4", accelerator_count=1
)
said = {"ENDPOINT": endpoint.resource_name, "ENDPOINT_HOST": endpoint.gca_resource.dedicated_endpoint_dns}
"""


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One that answers Google's hosts, with the archives of two models in a bucket."""
    with Emulator.start(buckets=["models"], google_hosts=True) as running:
        client = storage.Client(
            project="my-project",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": running.storage_host},
        )
        for name in ("text-classification", "text-generation"):
            mar = package(name, tmp_path_factory.mktemp(name))
            client.bucket("models").blob(f"{name}/model.mar").upload_from_filename(mar)
        client.close()
        yield running


@pytest.fixture(scope="session")
def hosts(emulator: Emulator) -> dict[str, str]:
    """What a client of the emulator sets, whose every request goes to Google's hosts."""
    return dict(emulator.environment())


@pytest.fixture(scope="session")
def writer(emulator: Emulator, hosts: dict[str, str]) -> dict[str, str]:
    """The variables that the blocks of docs/clients.md read."""
    endpoint: dict[str, str] = run_cells(DEPLOY, hosts)
    url = f"{emulator.vertex_host}/v1/{endpoint['ENDPOINT']}:streamRawPredict"
    return {**hosts, **endpoint, "URL": url, "PROJECT": "my-project", "LOCATION": "us-central1"}
