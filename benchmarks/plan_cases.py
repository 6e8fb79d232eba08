"""Thirty archives and plans of serving that are broken, and fifteen that are good."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.broken_archives import CASES, SMALL_DISK_MB, Case, named, with_files
from testbed.tiny_models import make, samples

OUR_IMAGE = "us-central1-docker.pkg.dev/p/serving/torchserve-cpu:1"
OTHER_IMAGE = "us-central1-docker.pkg.dev/p/serving/somebody-else:1"
PREBUILT_IMAGE = "europe-docker.pkg.dev/vertex-ai/prediction/pytorch-cpu.2-4:latest"
# Answers whether a text is longer than a variable says, in the unit that a parameter names.
OWN_HANDLER = """\
import os

THRESHOLD = float(os.environ["THRESHOLD"])


def handle(data, context):
    if data is None:
        return None
    return [
        {"long": len(text) > THRESHOLD, "unit": parameters["unit"]}
        for text, parameters in zip(data, context.instance_parameters, strict=True)
    ]
"""
OWN_REQUEST: dict[str, Any] = {
    "instances": ["a", "a longer text"],
    "parameters": {"unit": "letters"},
    "predictions": [{"long": False, "unit": "letters"}, {"long": True, "unit": "letters"}],
}
ENVIRONMENT = {"THRESHOLD": "5"}
TEXTS = ["a good movie", "a bad one"]

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Plan:
    """An archive, and how it is to be served.

    Attributes:
        name: In a few words.
        files: What lies in its folder of the bucket, by name.
        inputs: Of the component; with `model_archive`, a name in the folder, of the gate alone.
        cause: What the message must hold that stops it; empty for a good plan.
        options: Of `docker run`, for a gate on a smaller machine.
    """

    name: str
    files: Files
    inputs: Mapping[str, Any]
    cause: str = ""
    options: tuple[str, ...] = field(default=())


def archive_plan(case: Case, good: Path, instances: Any = TEXTS[:1]) -> Plan:
    """One of `broken_archives`: the folder holds what its model store holds."""
    with TemporaryDirectory(prefix="plans-") as folder:
        store = Path(folder)
        if case.mounted:
            case.make(good, store)
        # A folder for models is never quite empty: Cloud Storage has no empty folders.
        files = {f"store/{path.name}": path.read_bytes() for path in store.iterdir()} or {"store/notes": b""}
    if case.name == "unreadable object":
        files = {"elsewhere": b""}
    inputs: dict[str, Any] = {"model_archive": "store", "predict_route": "/v1/ask"}
    environment = {name: value for name, value in case.environment.items() if not name.startswith("AIP_")}
    if environment:
        inputs["serving_environment_vars"] = environment
    if "golden" not in case.name:
        inputs["smoke_test_instances"] = "instances.json"
        files["instances.json"] = json.dumps(instances).encode()
    options: tuple[str, ...] = ()
    if case.memory:
        options = ("--memory", case.memory, "--memory-swap", case.memory)
    if case.small_disk:
        options = ("--tmpfs", f"/tmp:exec,mode=1777,size={SMALL_DISK_MB}m")  # noqa: S108 (the container's)
    return Plan(case.name, files, inputs, CAUSES.get(case.name, case.cause), options)


# What the gate says where it is not what the server says.
CAUSES = {
    "two archives": "one.mar, two.mar",
    "empty AIP_STORAGE_URI": "no .mar",
    "unreadable object": "no .mar",
    "disk full": "are free",
}


def own_plan(name: str, cause: str = "", *, handler: str = OWN_HANDLER, request: Any = None,
             more: Files | None = None, **inputs: Any) -> Plan:  # fmt: skip
    """A handler of one's own, which needs a variable and a parameter, unless `inputs` say otherwise."""
    files = {
        "model/weights.bin": b"weights",
        "extra/handler.py": handler.encode(),
        "extra/instances.json": json.dumps(OWN_REQUEST if request is None else request).encode(),
        **(more or {}),
    }
    given = {
        "local_model_file": "weights.bin",
        "handler": "handler.py",
        "smoke_test_instances": "instances.json",
        "custom_container": True,
        "serving_container_image_uri": OUR_IMAGE,
        "serving_environment_vars": ENVIRONMENT,
        **inputs,
    }
    return Plan(name, files, given, cause)


def task_plan(name: str, model: str, cause: str = "", *, request: Any = None, more: Files | None = None,
              **inputs: Any) -> Plan:  # fmt: skip
    """A tiny model of a task with the reference handler."""
    with TemporaryDirectory(prefix="plans-") as folder:
        made = make(model, Path(folder, "model"))
        files = {
            f"model/{path.relative_to(made)}": path.read_bytes() for path in made.rglob("*") if path.is_file()
        }
    files["extra/instances.json"] = json.dumps(samples(model) if request is None else request).encode()
    files |= more or {}
    given = {
        "local_model_file": "model.safetensors",
        "handler": "huggingface",
        "smoke_test_instances": "instances.json",
        "custom_container": True,
        "serving_container_image_uri": OUR_IMAGE,
        **inputs,
    }
    return Plan(name, files, given, cause)


def broken_plans(good: Path) -> list[Plan]:
    """The twenty broken archives, and ten plans of which one thing is wrong that is not in the archive."""
    return [
        *(archive_plan(case, good) for case in CASES),
        own_plan("environment: a variable is missing", "KeyError: 'THRESHOLD'", serving_environment_vars={}),
        own_plan(
            "environment: a variable is no number",
            "could not convert string to float: 'high'",
            serving_environment_vars={"THRESHOLD": "high"},
        ),
        own_plan(
            "route: one that the image does not answer on",
            "is not TorchServe's route",
            serving_container_image_uri=OTHER_IMAGE,
            predict_route="/v1/ask",
        ),
        own_plan(
            "route: predictions on the route of health checks",
            "is the route of health checks",
            predict_route="/ping",
        ),
        own_plan(
            "image: a prebuilt one, and a model that it does not load",
            "only loads model.mar",
            custom_container=False,
            serving_container_image_uri=PREBUILT_IMAGE,
            model_name="bert",
        ),
        own_plan(
            "image: one of Google's as one's own",
            "one of Google's prebuilt containers",
            serving_container_image_uri=PREBUILT_IMAGE,
        ),
        own_plan(
            "parameters: one that the handler needs is missing",
            "KeyError",
            request={"instances": OWN_REQUEST["instances"]},
        ),
        task_plan(
            "parameters: one that the task does not know",
            "text-classification",
            "unknown parameters: candidate_labels",
            request={"instances": TEXTS, "parameters": {"candidate_labels": ["good", "bad"]}},
        ),
        own_plan(
            "library: the image lacks one that the component has",
            "matplotlib",
            handler=f"import matplotlib\n{OWN_HANDLER}",
        ),
        own_plan(
            "library: another torch is required than the image's",
            "torch==2.0.1",
            requirements="requirements.txt",
            more={"extra/requirements.txt": b"torch==2.0.1\n"},
        ),
    ]


def good_plans(good: Path) -> list[Plan]:
    """Fifteen that serve."""
    reordered = [dict(reversed(list(each.items()))) for each in OWN_REQUEST["predictions"]]
    golden = json.dumps({"instances": TEXTS, "parameters": {"top_k": 1}}).encode()
    lines = "".join(f"{json.dumps(text)}\n" for text in TEXTS).encode()
    return [
        archive_plan(Case("an archive", named("model.mar"), ""), good, TEXTS),
        archive_plan(
            Case("a golden request in the archive", with_files({"golden-request.json": golden}), ""), good
        ),
        own_plan("a handler with a variable and a parameter"),
        own_plan("a variable that is a number to KFP", serving_environment_vars={"THRESHOLD": 5.0}),
        own_plan("routes and port of one's own", predict_route="/v1/ask", health_route="/v1/healthy",
                 serving_container_ports=[9000.0]),
        own_plan("another model name", model_name="bert", predict_route="/predictions/bert"),
        own_plan("JSON keys in another order than expected",
                 request={**OWN_REQUEST, "predictions": reordered}),
        own_plan("several requests", request=[OWN_REQUEST, OWN_REQUEST]),
        own_plan("requirements that the image has", requirements="requirements.txt",
                 more={"extra/requirements.txt": b"numpy\npyyaml\n"}),
        own_plan("a prebuilt image", custom_container=False, serving_container_image_uri=PREBUILT_IMAGE,
                 handler=OWN_HANDLER.replace('os.environ["THRESHOLD"]', '5')),
        own_plan("somebody else's image", serving_container_image_uri=OTHER_IMAGE),
        task_plan("a text classifier, asked with a parameter", "text-classification",
                  request={"instances": TEXTS, "parameters": {"top_k": 2}}),
        task_plan("sentence embeddings, instances a line", "sentence-embeddings",
                  more={"extra/lines.jsonl": lines}, smoke_test_instances="lines.jsonl"),
        task_plan("pictures", "image-classification"),
        task_plan("a writer of text", "text-generation",
                  request={"instances": ["once"], "parameters": {"max_new_tokens": 4}}),
    ]  # fmt: skip
