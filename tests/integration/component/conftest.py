"""Cloud Storage and Vertex AI on loopback, with the environment and the SDK pointed at them."""

from collections.abc import Iterator

import pytest
from google.cloud.aiplatform import initializer

from testbed.vertex_gateway import Gateway, running_gateway
from tests.integration.component.component_runs import Cloud
from tests.storage_emulator import StorageEmulator
from vertex_torchserve.emulator import Emulator


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    settings = initializer.global_config
    before = dict(vars(settings))
    with Emulator.start(buckets=["bucket"]) as emulator, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator.environment().items():
            patch.setenv(name, value)
        yield Cloud(StorageEmulator(emulator.storage_host, "bucket"), emulator)
    vars(settings).clear()  # they are the whole process's
    vars(settings).update(before)


@pytest.fixture
def gateway(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """Stands between the library and Vertex AI; the test's own SDK asks the emulator itself."""
    with running_gateway(cloud.emulator.vertex_host) as running:
        monkeypatch.setenv("VERTEX_AI_EMULATOR_HOST", running.url)
        yield running
