"""Both components in the component's image, as KFP's DockerRunner runs them."""

import contextlib
import io
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kfp import components, dsl, local

from testbed.archives import SHORT_HANDLER, archive
from testbed.deadlines import BUILD_SECONDS
from tests.commands import COMMAND
from tests.storage_emulator import StorageEmulator
from vertex_torchserve import docker
from vertex_torchserve.archive_check.image_modules.named import inventory_named
from vertex_torchserve.emulator import Emulator

ROOT = Path(__file__).parents[3]
IMAGE = "vertex-torchserve-component:dev"  # which component/*.yaml name


@pytest.fixture(scope="module")
def component_image(image: str, facts: dict[str, Any]) -> None:
    """The component's image, made of the CPU image; what has not changed is in the engine's cache."""
    if facts["Config"]["Labels"]["org.opencontainers.image.title"] != "torchserve-cpu":
        pytest.skip("the component's image is made of the CPU image")
    answer = subprocess.run(
        [COMMAND, "images", "build", "component", "--tag", IMAGE, "--build-arg", f"BASE_IMAGE={image}"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]


@pytest.fixture(scope="module")
def emulator(component_image: None) -> Iterator[Emulator]:
    with Emulator.start(buckets=["bucket"]) as running:
        yield running


def run_in_docker(emulator: Emulator, pipeline: Callable[[], Any], root: Path) -> tuple[Any, str]:
    """Run a pipeline; returns its output, None when a task failed, and the log of all tasks."""
    root.mkdir()
    root.chmod(0o777)  # the image's user writes the outputs there
    log = io.StringIO()
    # The emulator listens on this machine's loopback only.
    runner = local.DockerRunner(network_mode="host", environment=emulator.environment())
    with (
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
        warnings.catch_warnings(),
    ):
        # The component reads the uri, never the local path.
        warnings.filterwarnings("ignore", ".*you're using the remote file", UserWarning)
        local.init(runner=runner, pipeline_root=str(root), raise_on_error=False)
        task = pipeline()
    return task.outputs.get("Output"), log.getvalue()


def storage(emulator: Emulator) -> StorageEmulator:
    return StorageEmulator(emulator.storage_host, "bucket")


def test_the_component_proves_and_registers(emulator: Emulator, tmp_path: Path) -> None:
    bucket = storage(emulator)
    bucket.put("model/ckpt.pt", "weights")
    bucket.put("extra/handler.py", "def handle(data, context):\n    return data\n")
    bucket.put("extra/instances.json", '["a", "b"]')
    upload = components.load_component_from_file(str(ROOT / "component/component.yaml"))

    @dsl.pipeline(name="registers")
    def pipeline() -> dsl.Metrics:
        trained = dsl.importer(artifact_uri="gs://bucket/model", artifact_class=dsl.Artifact, reimport=False)
        task = upload(
            project_id="my-project",
            location="us-central1",
            gcs_model_path=trained.output,
            local_model_file="ckpt.pt",
            model_display_name="in-docker",
            extra_files_staging_path="gs://bucket/extra",
            handler="handler.py",
            smoke_test_instances="instances.json",
        )
        return task.outputs["metrics"]

    metrics, log = run_in_docker(emulator, pipeline, tmp_path / "root")
    assert metrics, log
    assert (metrics.metadata["serves"], metrics.metadata["predictions"]) == (1, 2)
    assert "registered projects/" in log
    (page,) = (tmp_path / "root").rglob("report")
    assert "✓ It serves" in page.read_text()


def test_it_is_the_serving_image_and_more(component_image: None, image: str, facts: dict[str, Any]) -> None:
    """What the gate proves with is what serves: the same layers, and every package in the same version."""
    layers, base = docker.inspect_image(IMAGE)["RootFS"]["Layers"], facts["RootFS"]["Layers"]
    assert layers[: len(base)] == base
    component, serving = (inventory_named(name) for name in (IMAGE, image))
    assert component.python == serving.python
    assert {name: component.versions.get(name) for name in serving.versions} == serving.versions
    assert component.system == serving.system
    assert {"kfp", "google-cloud-aiplatform"} <= set(component.versions) - set(serving.versions)


def test_the_smoke_test_alone_fails_with_its_report(emulator: Emulator, tmp_path: Path) -> None:
    golden = {"golden-request.json": '{"instances": [1, 2]}'}
    storage(emulator).put("short/model.mar", archive(SHORT_HANDLER, files=golden))
    smoke_test = components.load_component_from_file(str(ROOT / "component/smoke_test.yaml"))

    @dsl.pipeline(name="fails")
    def pipeline() -> dsl.Artifact:
        packaged = dsl.importer(artifact_uri="gs://bucket/short", artifact_class=dsl.Artifact, reimport=False)
        return smoke_test(model_archive=packaged.output).outputs["proved_archive"]

    proved, log = run_in_docker(emulator, pipeline, tmp_path / "root")
    assert proved is None
    assert "the archive does not serve" in log
    (page,) = (tmp_path / "root").rglob("report")
    assert "✗ It does not serve" in page.read_text()
