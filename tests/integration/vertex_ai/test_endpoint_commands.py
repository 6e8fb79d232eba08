"""Deploy, ask, roll back and take down: the commands, the real SDK, the emulator, a real TorchServe."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.cloud import aiplatform
from google.cloud.aiplatform import initializer
from typer.testing import CliRunner

from testbed.archives import write_archive
from tests.documents import blocks
from vertex_torchserve import gcs
from vertex_torchserve.cli.app import app
from vertex_torchserve.emulator import Emulator
from vertex_torchserve.errors import VertexTorchServeError
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload, connect, register_archive

PROJECT, LOCATION = "my-project", "us-central1"
GOLDEN = json.dumps({"instances": ["a", "b"], "predictions": [{"echo": "a"}, {"echo": "b"}]})
# One prediction for each instance; "poison" fails the call. With the limit 2 the golden request is answered
# right the first time only, which is before the server calls itself ready.
HANDLER = """\
asked = 0

def handle(data, context):
    global asked
    if data is None:
        return None
    if "poison" in data:
        raise ValueError("poisoned instance")
    asked += "a" in data
    return [{"echo": item if asked < LIMIT else "drifted"} for item in data]
"""


class Outcome(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(*arguments: str) -> Outcome:
    """Run a command in this process, where the Google SDK is loaded already."""
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, VertexTorchServeError):
        return Outcome(result.exception.exit_code, result.stdout, str(result.exception))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Three versions of the model `my-model`: two good ones and one whose answers drift."""
    settings = dict(vars(initializer.global_config))
    with pytest.MonkeyPatch.context() as patch, Emulator.start(buckets=["models"]) as running:
        for name, value in running.environment().items():
            patch.setenv(name, value)
        patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        patch.setenv("GOOGLE_CLOUD_LOCATION", LOCATION)
        parent = None
        for number, limit in enumerate(("10**9", "10**9 + 1", "2"), start=1):
            mar = write_archive(
                tmp_path_factory.mktemp("archive"),
                HANDLER.replace("LIMIT", limit),
                files={"golden-request.json": GOLDEN},
                config="minWorkers: 1\nmaxWorkers: 1\n",
            )
            image = f"{LOCATION}-docker.pkg.dev/p/r/torchserve-cpu:1"
            plan = ServingPlan.of(mar, ContainerSpec(image, predict_route="/predictions/model"))
            names = ModelUpload(
                PROJECT, LOCATION, "my-model", parent_model=parent, version_aliases=(f"take-{number}",)
            )
            parent = register_archive(plan, gcs.GcsPath.parse("gs://models/archives"), names).resource_name
        yield running
    vars(initializer.global_config).clear()
    vars(initializer.global_config).update(settings)


def the_endpoint() -> aiplatform.Endpoint:
    connect(PROJECT, LOCATION)
    (endpoint,) = aiplatform.Endpoint.list()
    return endpoint


def shares() -> dict[str, int]:
    """Percentage by version."""
    resource = the_endpoint().gca_resource
    return {
        each.model_version_id: resource.traffic_split.get(each.id, 0) for each in resource.deployed_models
    }


def test_what_the_registry_holds(emulator: Emulator) -> None:
    (model,) = command("models", "list", "--json").json["models"]
    assert (model["display_name"], model["version_id"], model["endpoints"]) == ("my-model", "1", [])
    versions = command("models", "versions", "my-model", "--json").json["models"]
    assert [version["version_id"] for version in versions] == ["1", "2", "3"]
    assert command("models", "aliases", "my-model", "--json").json == {
        "aliases": {"default": "1", "take-1": "1", "take-2": "2", "take-3": "3"}
    }
    assert "my-model" in command("models", "list").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deploy", "nothing"), "has no model with the id or display name 'nothing'; it has my-model"),
        (
            ("deploy", "my-model@take-9"),
            "has no version or alias 'take-9'; it has 1, default, take-1, 2, take-2",
        ),
        (("deploy", "my-model", "--endpoint", "my endpoint"), "it has no endpoint at all"),
        (("deploy", "my-model", "--traffic", "10"), "the only model of the endpoint, which gets 100 %"),
        (("deploy", "my-model", "--autoscale", "cpu"), "--autoscale 'cpu' is not METRIC=TARGET"),
        (
            ("deploy", "projects/p/locations/europe-west2/models/1"),
            "is in europe-west2, and location 'us-central1' is given",
        ),
        (
            ("models", "versions", "projects/p/locations/europe-west2/models/1"),
            "is in europe-west2, and location 'us-central1' is given",
        ),
        (("deploy",), "no MODEL is given"),
        (("deploy", "my-model", "--rollback"), "--rollback takes --endpoint and no MODEL"),
        (("deploy", "my-model", "--location", "mars-1", "--traffic", "101"), "2 problems with the input"),
        (("predict", "my-model", "--text", "a"), "it has no endpoint at all"),
        (("predict", "my-model"), "nothing to ask is given"),
        (("predict", "my-model", "--text", "a", "--parameters", "[1]"), "--parameters [1] is no JSON object"),
        (("predict", "my-model", "--file", "gone.png"), "file 'gone.png' does not exist"),
        (("undeploy", "my-model"), "what is to be taken down is not said"),
        (("batch-predict", "my-model"), "MODEL, INPUT and gs://BUCKET/OUTPUT are needed"),
        (("models", "versions", "no such model"), "has no model with the id or display name 'no such model'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(
    emulator: Emulator, arguments: tuple[str, ...], words: str
) -> None:
    outcome = command(*arguments)
    assert outcome.code == 2, outcome
    assert words in outcome.err
    connect(PROJECT, LOCATION)
    assert aiplatform.Endpoint.list() == []


def test_what_the_guide_says_from_the_first_deployment_to_the_last(
    emulator: Emulator, tmp_path: Path
) -> None:
    first, last = blocks("docs/endpoints.md", "sh")
    said = [command(*shlex.split(line)[1:]) for line in first.splitlines()]
    assert [outcome.code for outcome in said] == [0] * 6
    versions, planned, deployed, predicted, canary, more = said
    assert "take-3" in versions.out
    for line in (
        "a new endpoint my-model in us-central1",
        "n1-standard-4, 1 replica",
        "4 of custom_model_serving_cpus, charged for the most replicas",
        "Vertex AI's own: the version sets none",
        "100 % to version 1",
        "1 are asked through the endpoint before the traffic moves",
    ):
        assert line in planned.out
    assert "golden requests answered as expected: 1" in deployed.out
    assert "https://console.cloud.google.com/logs/query;query=resource.type" in deployed.out
    assert predicted.out == '{"echo": "How do I serve this?"}\n'
    assert "90 % to version 1, 10 % to version 2" in canary.out
    # The same version again gets more of the traffic, and no second server.
    assert "which it has already" in more.err
    assert shares() == {"1": 60, "2": 40}

    # Answers that drift away from the golden request give the traffic back.
    drifted = command("deploy", "my-model@3", "--traffic", "20")
    assert drifted.code == 1
    assert "golden request 1 of 1 was not answered as expected: predictions[0]" in drifted.err
    assert "is as it was, and what was deployed is taken away" in drifted.err
    assert 'resource.labels.endpoint_id="' in drifted.err
    assert shares() == {"1": 60, "2": 40}

    ask(tmp_path)
    unknown = command("undeploy", "my-model", "--version", "7")
    assert (unknown.code, "it has version 1 (" in unknown.err) == (2, True)
    rolled_back, again, undeployed = (
        command(*shlex.split(line)[1:]) for line in [last.splitlines()[0], *last.splitlines()]
    )
    assert "100 % to deployed model" in rolled_back.out
    assert (again.code, "nothing to go back to" in again.err) == (2, True)
    assert "the endpoint is deleted" in undeployed.out
    assert aiplatform.Endpoint.list() == []


def ask(tmp_path: Path) -> None:
    """Each form of what `predict` takes."""
    assert (
        command("predict", "my-model", "--text", "x", "--text", "y").out == '{"echo": "x"}\n{"echo": "y"}\n'
    )
    (tmp_path / "dot.png").write_bytes(b"\x89PNG")
    answer = command("predict", "my-model", "--file", str(tmp_path / "dot.png"), "--json").json
    assert answer["predictions"] == [{"echo": {"b64": "iVBORw=="}}]
    assert answer["model_version_id"] in {"1", "2"}
    (tmp_path / "in.jsonl").write_text('"one"\n{"two": "2"}\n')
    assert command("predict", "my-model", "--instances", str(tmp_path / "in.jsonl")).out == (
        '{"echo": "one"}\n{"echo": {"two": "2"}}\n'
    )
    streamed = command("predict", "my-model", "--text", "x", "--stream")
    assert json.loads(streamed.out) == {"predictions": [{"echo": "x"}]}
    poisoned = command("predict", "my-model", "--text", "poison")
    assert (poisoned.code, "the prediction failed" in poisoned.err) == (1, True)


def test_a_batch_job_says_what_failed(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"x"\n"poison"\n')
    arguments = ("batch-predict", "my-model@1", str(tmp_path / "in.jsonl"), "gs://models/batch")
    outcome = command(*arguments, "--batch-size", "1")
    assert outcome.code == 1
    assert "1 predicted, 1 failed" in outcome.out
    assert '"poison": ' in outcome.out
    job = outcome.err.partition("job ")[2].split()[0]
    followed = command("batch-predict", "--follow", job, "--json")
    assert (followed.code, followed.json["failures"][0]["instance"]) == (1, "poison")
