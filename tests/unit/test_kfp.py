"""`vertex_torchserve.kfp`: the packaged components in a pipeline, in an image of the user's own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler, dsl

from vertex_torchserve.component_yaml import ComponentName, component_yaml
from vertex_torchserve.errors import InputError
from vertex_torchserve.kfp import deploy_pytorch_model, smoke_test_pytorch_model, upload_pytorch_model

ROOT = Path(__file__).parents[2]
OWN = "europe-west2-docker.pkg.dev/my-project/components/upload:1"
REQUIRED: dict[str, Any] = {
    "project_id": "my-project",
    "location": "europe-west2",
    "local_model_file": "model.pt",
    "model_display_name": "my-model",
}


def upload(image: str | None = None) -> Any:
    trained = dsl.importer(artifact_uri="gs://bucket/model", artifact_class=dsl.Artifact, reimport=False)
    return upload_pytorch_model(component_image=image, gcs_model_path=trained.output, **REQUIRED)


def images(pipeline: Any, folder: Path) -> dict[str, str]:
    """The image of each executor of a compiled pipeline."""
    compiler.Compiler().compile(pipeline, str(folder / "pipeline.yaml"))
    (spec, *_) = yaml.safe_load_all((folder / "pipeline.yaml").read_text())
    executors = spec["deploymentSpec"]["executors"]
    return {
        name: executor["container"]["image"]
        for name, executor in executors.items()
        if "container" in executor
    }


def test_the_image_of_an_argument_and_of_the_task(tmp_path: Path) -> None:
    @dsl.pipeline(name="argument")
    def by_argument() -> None:
        upload(OWN)

    @dsl.pipeline(name="task")
    def by_task(image: str = OWN) -> None:
        upload().set_container_image(OWN)
        smoke_test_pytorch_model(
            model_archive=dsl.importer(artifact_uri="gs://b/m.mar", artifact_class=dsl.Artifact).output
        ).set_container_image(image)

    assert images(by_argument, tmp_path) == {"exec-upload-pytorch-model": OWN}
    assert images(by_task, tmp_path) == {
        "exec-upload-pytorch-model": OWN,
        "exec-smoke-test-pytorch-archive": "{{$.inputs.parameters['pipelinechannel--image']}}",
    }


def test_without_any_it_is_what_the_yaml_names(tmp_path: Path) -> None:
    @dsl.pipeline(name="none")
    def pipeline() -> None:
        upload()

    assert images(pipeline, tmp_path) == {"exec-upload-pytorch-model": "vertex-torchserve-component:dev"}


def test_what_upload_registers_is_what_deploy_takes(tmp_path: Path) -> None:
    @dsl.pipeline(name="canary")
    def pipeline() -> None:
        model = upload(OWN).outputs["vertex_model"]
        deploy_pytorch_model(
            component_image=OWN, vertex_model=model, traffic=10, machine_type="g2-standard-8"
        )

    assert set(images(pipeline, tmp_path)) == {"exec-upload-pytorch-model", "exec-deploy-pytorch-model"}


def test_the_image_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPONENT_IMAGE", OWN)
    program = (
        "from vertex_torchserve import kfp\n"
        "for each in (kfp.upload_pytorch_model, kfp.smoke_test_pytorch_model, kfp.deploy_pytorch_model):\n"
        "    print(*[line.split()[1] for line in each.component_yaml.splitlines() if ' image: ' in line])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [OWN] * 3


def test_it_is_a_component_of_kfp_and_refuses_what_kfp_refuses() -> None:
    assert upload_pytorch_model.component_spec.inputs["model_name"].default == "model"
    with pytest.raises(TypeError, match='unexpected keyword argument "model"'):
        upload_pytorch_model(model="x")
    with pytest.raises(InputError, match="component image 'a b' is not the name of an image"):
        upload_pytorch_model(component_image="a b")


@pytest.mark.parametrize("name", ComponentName)
def test_the_yaml_differs_in_its_image_alone(name: ComponentName) -> None:
    own = component_yaml(name, OWN)
    changed = [
        (before.strip(), after.strip())
        for before, after in zip(component_yaml(name).splitlines(), own.splitlines(), strict=True)
        if before != after
    ]
    assert changed == [("image: vertex-torchserve-component:dev", f"image: {OWN}")]
    (executor,) = yaml.safe_load(own)["deploymentSpec"]["executors"].values()
    assert executor["container"]["image"] == OWN
