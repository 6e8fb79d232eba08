"""An alias moves only to a version that answers as recorded, and back to the version that had it before."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.cloud import aiplatform
from typer.testing import CliRunner, Result

from testbed.archives import write_archive
from tests.integration.component.component_runs import LOCATION, PROJECT, Cloud
from vertex_torchserve.cli.app import app
from vertex_torchserve.cli.console import output
from vertex_torchserve.errors import InputError, ServingError
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.release.promotion import Wish, planned
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.archive.request_file import RequestFile
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload, RegisteredModel, register_archive

IMAGE = f"{LOCATION}-docker.pkg.dev/p/serving/torchserve-cpu:1"
# Answers with its own name, the variable of its version, and refuses one word.
HANDLER = """\
import os


def handle(data, context):
    if data is None:
        return None
    if "refused" in data:
        context.set_response_status(code=400, idx=0)
        return [{"error": "this word is refused"}] * len(data)
    return [f"VERSION {os.environ['MARK']} {item}" for item in data]
"""


def golden(answer: str, word: str = "a") -> str:
    return json.dumps({"model": "model", "requests": [{"instances": [word], "predictions": [answer]}]})


def register(
    folder: Path, name: str, number: str, *, answers: str | None, parent: str | None = None, **fields: Any
) -> RegisteredModel:
    """Version `number` of a model, whose golden request is answered with `answers`."""
    files = {"weights": f"{name} {number}"}
    if answers is not None:
        files["golden-request.json"] = golden(answers)
    mar = write_archive(folder / number, HANDLER.replace("VERSION", number), files=files)
    plan = ServingPlan.of(
        mar, ContainerSpec(IMAGE, predict_route="/predictions/model", environment={"MARK": "of"})
    )
    upload = ModelUpload(PROJECT, LOCATION, name, parent_model=parent, **fields)
    return register_archive(plan, GcsPath.parse("gs://bucket/archives"), upload)


def wish(model: str, version: str | None = None, alias: str = "prod", **fields: Any) -> Wish:
    return Wish(model, alias, version, **{"project": PROJECT, "location": LOCATION, **fields})


def aliases(cloud: Cloud, name: str) -> list[list[str]]:
    return [sorted(version.version_aliases) for version in cloud.versions(name)]


def test_an_alias_goes_forward_and_back_over_the_versions_that_had_it(cloud: Cloud, tmp_path: Path) -> None:
    name = "there and back"
    parent = register(tmp_path, name, "1", answers="1 of a", labels={"team": "nlp"}).resource_name
    for number in "23":
        register(tmp_path, name, number, answers=f"{number} of a", parent=parent)
    with pytest.raises(InputError, match="nothing to roll back to: no version of there and back has"):
        planned(wish(name))
    for version in ("2", "3", "2"):
        move = planned(wish(name, version))
        move.carry_out()
        again = planned(wish(name, version))
        assert again.is_done
        again.carry_out()
    labels = cloud.versions(name)[1].labels
    assert labels["vertex_torchserve_before_prod"] == "3_2"
    assert set(labels) == {"vertex_torchserve_upload", "vertex_torchserve_before_prod"}
    for version in ("3", "2"):
        move = planned(wish(name))
        assert move.target.version_id == version
        move.carry_out()
    assert aliases(cloud, name) == [["default"], ["prod"], []]
    with pytest.raises(InputError) as raised:
        planned(wish(name))
    assert raised.value.message == (
        "nothing to roll back to: version 2 of there and back has the alias 'prod', and no version is "
        "written down that had it before"
    )
    assert raised.value.fix.endswith("--alias prod --version VERSION`; there are 1, 2, 3")
    assert dict(cloud.versions(name)[0].labels)["team"] == "nlp"


def test_killed_between_the_label_and_the_alias_it_is_done_by_trying_again(
    cloud: Cloud, tmp_path: Path
) -> None:
    name = "killed"
    parent = register(tmp_path, name, "1", answers="1 of a").resource_name
    second = register(tmp_path, name, "2", answers="2 of a", parent=parent)
    planned(wish(name, "1", "stable")).carry_out()
    move = planned(wish(name, "2", "stable"))
    assert move.before == ("1",)
    model = aiplatform.Model(second.resource_name)  # as `carry_out` begins
    labels = {**move.target.labels, "vertex_torchserve_before_stable": "1"}
    model.api_client.update_model(
        model=aiplatform.gapic.Model(name=second.versioned_resource_name, labels=labels),
        update_mask={"paths": ["labels"]},
    )
    move = planned(wish(name, "2", "stable"))
    assert (move.holder, move.before, move.is_done) == ("1", ("1",), False)
    move.carry_out()
    assert aliases(cloud, name) == [["default"], ["stable"]]
    assert planned(wish(name, alias="stable")).target.version_id == "1"


def test_a_version_that_was_deleted_is_passed_over(cloud: Cloud, tmp_path: Path) -> None:
    name = "deleted"
    parent = register(tmp_path, name, "1", answers="1 of a").resource_name
    for number in "23":
        register(tmp_path, name, number, answers=f"{number} of a", parent=parent)
    for version in "123":
        planned(wish(name, version)).carry_out()
    aiplatform.models.ModelRegistry(parent).delete_version("2")
    assert planned(wish(name)).target.version_id == "1"


@pytest.mark.parametrize("form", ["{id}", "{name}", "{name}@1", "{display}"])
def test_a_model_by_id_resource_name_and_display_name(cloud: Cloud, tmp_path: Path, form: str) -> None:
    display = f"named {form}"
    registered = register(tmp_path, display, "1", answers="1 of a")
    model = form.format(
        id=registered.resource_name.rpartition("/")[2], name=registered.resource_name, display=display
    )
    is_name = model.startswith("projects/")
    found = planned(
        wish(model, "default", project=None if is_name else PROJECT, location=None if is_name else LOCATION)
    )
    assert found.target.resource_name == registered.versioned_resource_name
    assert (found.holder, found.golden is not None, found.deployed) == (None, True, None)


def test_everything_wrong_is_said_together_and_nothing_is_changed(cloud: Cloud, tmp_path: Path) -> None:
    name = "wrong"
    resource_name = register(tmp_path, name, "1", answers=None).resource_name
    register(tmp_path, "wrong twice", "1", answers=None)
    register(tmp_path, "wrong twice", "2", answers=None)
    for asked, said in (
        (wish(name, "7", "v1.0"), ["version alias 'v1.0' is refused", "wrong has no version '7'; it has 1"]),
        (
            wish(name, "1", "v1.0", endpoint="nowhere"),
            [
                "version alias 'v1.0'",
                "not deployed on an endpoint 'nowhere'",
                "no golden requests: nothing says",
            ],
        ),
        (
            wish("none", "1", "v1.0"),
            ["version alias 'v1.0'", "has no model with the id or display name 'none'"],
        ),
        (wish("wrong twice", "1"), ["2 models are called 'wrong twice'"]),
        (wish("none", "1", "v1.0", project=None, location="mars"), ["no project", "'mars' is not", "'v1.0'"]),
        (
            wish(resource_name, "1", location="europe-west2"),
            ["is in us-central1, and location 'europe-west2'"],
        ),
        (
            wish(name, "1", location="europe-west2"),
            ["in europe-west2 has no model with the id or display name 'wrong'"],
        ),
        (wish("projects/p/models/1", "1"), ["is no model's resource name"]),
    ):
        with pytest.raises(InputError) as raised:
            planned(asked)
        assert len(raised.value.problems) == len(said)
        for problem, part in zip(raised.value.problems, said, strict=True):
            assert part in problem.message
    given = RequestFile([PredictionRequest(["a"])])
    with pytest.raises(InputError, match="hold no predictions to compare"):
        planned(wish(name, "1", golden=given))
    assert aliases(cloud, name) == [["default"]]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_served_here_and_right_the_alias_moves(cloud: Cloud, tmp_path: Path) -> None:
    name = "served here"
    register(tmp_path, name, "1", answers="1 of a")
    place = ("--alias", "prod", "--project", PROJECT, "--location", LOCATION)
    done = run("promote", name, "--version", "1", *place, "--dry-run")
    assert (done.exit_code, done.stdout) == (
        0,
        "moves prod of served here from no version to version 1, once this Python answers 1 golden request "
        "right\n",
    )
    assert aliases(cloud, name) == [["default"]]
    done = run("promote", name, "--version", "1", *place, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["moved"], told["previous_version_id"]) == (0, True, None)
    assert (told["asked_at"], told["changed"], told["compared"]) == ("this Python", 0, 1)
    assert told["not_proved"] == [f"the image {IMAGE}"]
    assert aliases(cloud, name) == [["default", "prod"]]
    done = run("promote", name, "--version", "1", *place)
    assert (done.exit_code, done.stdout) == (0, "version 1 has prod already\n")
    done = run("rollback", name, *place)
    assert "nothing to roll back to: version 1 of served here has the alias 'prod'" in str(done.exception)


def test_an_archive_that_is_not_the_registered_one_is_not_served(cloud: Cloud, tmp_path: Path) -> None:
    registered = register(tmp_path, "replaced", "1", answers="1 of a")
    other = write_archive(tmp_path / "other", HANDLER, files={"golden-request.json": golden("1 of a")})
    folder = registered.artifact_uri.removeprefix("gs://bucket/")
    cloud.storage.put(f"{folder}/model.mar", other.read_bytes())
    move = planned(wish("replaced", "1"))
    with pytest.raises(InputError, match=r"model\.mar has changed since .*@1 was registered from it"):
        move.prove()
    cloud.storage.delete(f"{folder}/model.mar")
    with pytest.raises(InputError, match=r"holds no \.mar"):
        planned(wish("replaced", "1"))


def test_a_deployed_version_is_asked_through_its_endpoint_and_no_other_version_answers_for_it(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "deployed"
    parent = register(tmp_path, name, "1", answers="1 of a").resource_name
    register(tmp_path, name, "2", answers="2 of a", parent=parent)
    cloud.versions(name)  # points this process's SDK at the emulator
    endpoint = aiplatform.Endpoint.create(display_name="shared")
    for version, percent in (("1", 100), ("2", 0)):
        model = aiplatform.Model(f"{parent}@{version}")
        model.deploy(endpoint, machine_type="n1-standard-4", traffic_percentage=percent)
    first, second = endpoint.list_models()
    with pytest.raises(
        InputError, match="version 2 gets no traffic on endpoint 'shared', so it can't be asked"
    ):
        planned(wish(name, "2", endpoint="shared"))
    assert planned(wish(name, "2")).deployed is None
    endpoint.update(traffic_split={first.id: 80, second.id: 20})
    for form in ("shared", endpoint.resource_name, endpoint.name, None):
        move = planned(wish(name, "2", endpoint=form))
        assert move.deployed is not None
        assert (move.deployed.endpoint, move.deployed.percent) == (endpoint.resource_name, 20)
        proof = move.prove()
        assert (proof.asked_at, proof.changed, len(proof.compared)) == (endpoint.resource_name, 0, 1)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(golden("1 of a"))
    # A console takes its width from the environment when it is made, which may be long ago.
    monkeypatch.setattr(output, "width", 200)
    arguments = ("promote", name, "--alias", "prod", "--project", PROJECT, "--location", LOCATION)
    done = run(*arguments, "--version", "2", "--golden-request", str(wrong))
    assert done.exit_code == 1
    assert 'expected "1 of a", got "2 of a"' in done.stdout
    assert f"not moved prod of deployed from no version to version 2, asked at {endpoint.resource_name}" in (
        done.stdout
    )
    assert aliases(cloud, name) == [["default"], []]
    refused = RequestFile([PredictionRequest(["refused"], predictions=["x"])])
    with pytest.raises(
        ServingError, match=r"request 1 of 1 was answered 400, 200 is needed: .*this word is refused"
    ):
        planned(wish(name, "2", golden=refused)).prove()
    large = RequestFile([PredictionRequest(["a" * 1_500_000], predictions=["x"])])
    with pytest.raises(
        ServingError, match=r"request 1 of 1 was not answered: .* 1500019 bytes; 1500000 are accepted"
    ):
        planned(wish(name, "2", golden=large)).prove()
