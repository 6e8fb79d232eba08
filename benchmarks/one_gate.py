"""A program for the component's image: prove a plan as a task of a pipeline does, and register what passes.

    python one_gate.py < '{"inputs": {...}, "upload": {...}}'

With `model_archive` among the inputs the gate's own component runs, and then what a pipeline does next: an
upload with the same container. Otherwise the whole component runs. The last line that is printed is JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kfp import dsl

from vertex_torchserve.component import run as whole
from vertex_torchserve.component import smoke_test
from vertex_torchserve.component.artifacts import VertexModel
from vertex_torchserve.errors import VertexTorchServeError
from vertex_torchserve.gcs import GcsPath, download_file
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload, register_archive


def prove_and_register(inputs: dict[str, Any], upload: dict[str, Any], outputs: Path) -> None:
    """Run the component, or the gate alone and an upload.

    Raises:
        VertexTorchServeError: What stopped it.
    """
    report, metrics = dsl.HTML(uri=str(outputs / "report")), dsl.Metrics(uri=str(outputs / "metrics"))
    if "model_archive" not in inputs:
        whole.run(VertexModel(), report, metrics, **inputs)
        return
    proved = dsl.Artifact(uri=str(outputs / "proved"))
    smoke_test.run(proved, report, metrics, **inputs)
    container = ContainerSpec(
        upload["image"],
        predict_route=inputs["predict_route"],
        environment=inputs.get("serving_environment_vars", {}),
    )
    path = GcsPath.parse(proved.uri)
    mar_path = download_file(path, outputs / path.name)
    names = ModelUpload(project=upload["project"], location=upload["location"], display_name=path.name)
    register_archive(ServingPlan.of(mar_path, container), GcsPath.parse(upload["folder"]), names)


def stopped_by(error: VertexTorchServeError, outputs: Path) -> str:
    """The check that failed, by the report; `input` where nothing was served."""
    metrics = outputs / "metrics"
    if not metrics.is_file():
        return "input"
    checks = json.loads(metrics.read_text())["checks"]
    failed = [check["name"] for check in checks if not check["ok"]]
    return failed[0] if failed else type(error).__name__


def main() -> None:
    """Prove what standard input names, and print what came of it."""
    given = json.load(sys.stdin)
    began = time.monotonic()
    outcome: dict[str, Any] = {"stopped_by": "", "message": ""}
    with tempfile.TemporaryDirectory(prefix="outputs-") as folder:
        try:
            prove_and_register(given["inputs"], given["upload"], Path(folder))
        except VertexTorchServeError as error:
            outcome = {"stopped_by": stopped_by(error, Path(folder)), "message": str(error)}
    print(json.dumps({**outcome, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
