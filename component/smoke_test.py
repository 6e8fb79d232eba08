"""The interface of the gate as a component of its own; `make component` compiles it to smoke_test.yaml."""

import os
from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Artifact, Input, Metrics, Output

IMAGE = os.environ.get("VTS_COMPONENT_IMAGE", "vertex-torchserve-component:dev")


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def smoke_test_pytorch_archive(
    model_archive: Input[Artifact],
    proved_archive: Output[Artifact],
    report: Output[HTML],
    metrics: Output[Metrics],
    smoke_test_instances: str = "",
    serving_environment_vars: dict[str, Any] = {},
    predict_route: str = "",
    health_route: str = "",
    serving_container_image_uri: str = "",
) -> None:
    """Prove that a TorchServe archive serves, before a pipeline registers it by other means.

    Args:
        model_archive: Artifact whose uri is the gs:// path of a .mar, or of the folder that holds one.
        smoke_test_instances: gs:// path of a JSON or JSONL file of instances; the archive's golden request
            when blank.
        serving_environment_vars: Environment variables that it will be served with.
        predict_route: Where predictions will be posted; blank means `/predictions/<model name>`.
        health_route: What will be asked for 200; blank means `/ping`.
        serving_container_image_uri: The image that it will be registered with, to compare libraries with;
            blank means this project's CPU image.
        proved_archive: The same archive, for the task that registers it; metadata ArchiveSha256, ModelName.
        report: A page about the archive and its smoke test, also when it does not serve.
        metrics: Figures of the smoke test.
    """
    from vertex_torchserve.component.smoke_test import run

    run(
        proved_archive,
        report,
        metrics,
        model_archive=model_archive.uri,
        smoke_test_instances=smoke_test_instances,
        serving_environment_vars=serving_environment_vars,
        predict_route=predict_route,
        health_route=health_route,
        serving_container_image_uri=serving_container_image_uri,
    )


if __name__ == "__main__":
    import sys

    from kfp import compiler

    compiler.Compiler().compile(smoke_test_pytorch_archive, sys.argv[1])
