"""An emulator, the unmodified SDK pointed at it, and the smallest archives TorchServe loads."""

from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, storage
from google.cloud.aiplatform import initializer

from testbed.archives import BROKEN_HANDLER, archive
from vertex_torchserve.emulator import Emulator

BUCKET = "models"
# One prediction for each instance; an instance that is the word "poison" fails the whole call.
POISONED_HANDLER = """\
def handle(data, context):
    if data is None:
        return None
    if "poison" in data:
        raise ValueError("poisoned instance")
    return [{"echo": item} for item in data]
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start(buckets=[BUCKET]) as running:
        fill_bucket(running.storage_host)
        yield running


@pytest.fixture(scope="session")
def fill() -> Callable[[str], None]:
    """For tests that start an emulator of their own."""
    return fill_bucket


def fill_bucket(storage_host: str) -> None:
    """Two artifact folders: one that serves and one that can't."""
    client = storage_client(storage_host)
    bucket = client.bucket(BUCKET)
    for folder, handler in (("echo", POISONED_HANDLER), ("broken", BROKEN_HANDLER)):
        bucket.blob(f"{folder}/model.mar").upload_from_string(archive(handler))
    client.close()


def storage_client(storage_host: str) -> storage.Client:
    return storage.Client(
        project="my-project",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": storage_host},
    )


@pytest.fixture
def gcs(emulator: Emulator) -> Iterator[storage.Client]:
    client = storage_client(emulator.storage_host)
    yield client
    client.close()


@pytest.fixture
def servers() -> Callable[[], set[psutil.Process]]:
    """The processes started since the test began and still there: what other tests keep is not counted."""
    before = set(psutil.Process().children())
    return lambda: set(psutil.Process().children()) - before


@pytest.fixture
def sdk() -> Iterator[Callable[[str], None]]:
    """Points the SDK at an emulator for one test: its settings are the whole process's."""
    settings = initializer.global_config
    before = dict(vars(settings))

    def point_at(vertex_host: str) -> None:
        aiplatform.init(
            project="my-project",
            location="us-central1",
            credentials=AnonymousCredentials(),
            api_endpoint=vertex_host,
            api_transport="rest",
        )

    yield point_at
    vars(settings).clear()
    vars(settings).update(before)


@pytest.fixture
def vertex(emulator: Emulator, sdk: Callable[[str], None]) -> Emulator:
    """The module's emulator, with the SDK pointed at it."""
    sdk(emulator.vertex_host)
    return emulator


@pytest.fixture
def upload() -> Callable[..., aiplatform.Model]:
    """`Model.upload` with the fields every test gives the same."""

    def run(**fields: Any) -> aiplatform.Model:
        return aiplatform.Model.upload(
            **{
                "display_name": "echo",
                "artifact_uri": f"gs://{BUCKET}/echo",
                "serving_container_image_uri": "us-central1-docker.pkg.dev/p/r/torchserve-cpu:1",
                "serving_container_predict_route": "/predictions/model",
                "serving_container_health_route": "/ping",
                "serving_container_ports": [7080],
                **fields,
            }
        )

    return run
