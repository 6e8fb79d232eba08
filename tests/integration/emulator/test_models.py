"""The Model Registry of the emulator, through the real SDK."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import aiplatform, storage

from vertex_torchserve.emulator import Emulator

Upload = Callable[..., aiplatform.Model]
COPIES = "vertex-emulator-artifact-copies"

pytestmark = pytest.mark.usefixtures("vertex")


def copied(gcs: storage.Client) -> set[str]:
    return {blob.name for blob in gcs.list_blobs(COPIES)}


def aliases_by_version(model: aiplatform.Model) -> dict[str, list[str]]:
    return {info.version_id: info.version_aliases for info in model.versioning_registry.list_versions()}


def test_the_first_version_is_the_default_and_everything_comes_back(upload: Upload) -> None:
    model = upload(
        display_name="everything",
        description="of the model",
        version_description="of the version",
        version_aliases=["golden"],
        labels={"team": "nlp"},
        serving_container_args=["--flag", "1"],
        serving_container_environment_variables={"MODEL_NAME": "model"},
    )
    assert model.version_id == "1"
    assert sorted(model.version_aliases) == ["default", "golden"]
    assert model.versioned_resource_name == f"{model.resource_name}@1"
    assert model.display_name == "everything"
    assert model.description == "of the model"
    assert model.version_description == "of the version"
    assert model.labels == {"team": "nlp"}
    assert model.uri == "gs://models/echo"
    assert list(model.container_spec.args) == ["--flag", "1"]
    assert model.container_spec.ports[0].container_port == 7080
    assert model.container_spec.env[0].value == "model"
    assert model.create_time == model.version_create_time


def test_names_carry_the_projects_number_and_lookups_take_id_and_number(upload: Upload) -> None:
    model = upload()
    _, number, *_, model_id = model.resource_name.split("/")
    assert number.isdecimal()
    assert len(number) == 12
    by_number = aiplatform.Model(model.resource_name)
    by_id = aiplatform.Model(f"projects/my-project/locations/us-central1/models/{model_id}")
    assert by_number.resource_name == by_id.resource_name == model.resource_name


def test_versions_are_found_by_id_and_alias_and_an_alias_lives_on_one(upload: Upload) -> None:
    first = upload(model_id="versions", version_aliases=["golden"], version_description="one")
    second = upload(
        parent_model="versions",
        is_default_version=False,
        version_aliases=["golden", "fresh"],
        version_description="two",
    )
    assert second.resource_name == first.resource_name
    assert second.version_id == "2"
    assert aliases_by_version(first) == {"1": ["default"], "2": ["fresh", "golden"]}
    assert aiplatform.Model("versions").version_description == "one"
    assert aiplatform.Model("versions@2").version_description == "two"
    assert aiplatform.Model("versions@golden").version_description == "two"
    third = upload(parent_model=f"{first.resource_name}@1")
    assert third.version_id == "3"
    assert aiplatform.Model("versions").version_id == "3"
    with pytest.raises(exceptions.NotFound, match="versions@9"):
        aiplatform.Model("versions@9")


def test_aliases_are_merged_moved_and_removed(upload: Upload) -> None:
    model = upload(model_id="aliases")
    upload(parent_model="aliases", is_default_version=False, version_aliases=["fresh"])
    registry = model.versioning_registry
    registry.add_version_aliases(["golden", "stable"], "1")
    registry.remove_version_aliases(["stable"], "1")
    assert aliases_by_version(model) == {"1": ["default", "golden"], "2": ["fresh"]}
    registry.add_version_aliases(["default", "golden"], "fresh")
    assert aliases_by_version(model) == {"1": [], "2": ["default", "fresh", "golden"]}
    with pytest.raises(exceptions.BadRequest, match="default"):
        registry.remove_version_aliases(["default"], "2")
    with pytest.raises(exceptions.BadRequest, match=r"v1\.0"):
        registry.add_version_aliases(["v1.0"], "1")


def test_updates_of_the_model_and_of_a_version_are_kept_apart(upload: Upload, vertex: Emulator) -> None:
    model = upload(model_id="updates", labels={"version": "one"})
    model.update(display_name="renamed", description="described", labels={"model": "both"})
    model.versioning_registry.update_version("1", version_description="changed", labels={"version": "1"})
    seen = aiplatform.Model("updates")
    assert (seen.display_name, seen.description) == ("renamed", "described")
    assert seen.version_description == "changed"
    assert seen.labels == {"model": "both", "version": "1"}
    url = f"{vertex.vertex_host}/v1/{model.resource_name}"
    for name, mask in ((url, "versionDescription"), (f"{url}@1", "display_name"), (url, "container_spec")):
        answer = httpx.patch(name, params={"updateMask": mask}, json={"displayName": "x"})
        assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_lists_are_filtered_and_ordered(upload: Upload) -> None:
    upload(display_name="list-b", labels={"list": "yes"})
    upload(display_name="list-a", labels={"list": "yes", "more": "1"})
    named = aiplatform.Model.list(filter='display_name="list-a"')
    assert [model.display_name for model in named] == ["list-a"]
    labelled = aiplatform.Model.list(filter='labels.list="yes"', order_by="display_name")
    assert [model.display_name for model in labelled] == ["list-a", "list-b"]
    assert aiplatform.Model.list(filter=f'model="{labelled[1].name}"')[0].display_name == "list-b"
    assert aiplatform.Model.list(filter="labels.list=yes AND labels.more:*", location="us-east1") == []
    with pytest.raises(exceptions.BadRequest, match="colour"):
        aiplatform.Model.list(filter="colour=red")


def test_versions_are_listed_by_their_own_labels(upload: Upload) -> None:
    model = upload(model_id="labelled", labels={"run": "1"})
    upload(parent_model="labelled", labels={"run": "2"})
    found = model.versioning_registry.list_versions(filter='labels.run="2"')
    assert [info.version_id for info in found] == ["2"]


def test_the_artifact_is_copied_whole_and_nothing_beside_it(upload: Upload, gcs: storage.Client) -> None:
    bucket = gcs.bucket("models")
    bucket.blob("whole/model.mar").upload_from_string(b"weights")
    bucket.blob("whole/sub/a b.txt").upload_from_string(b"text")
    bucket.blob("whole-2/model.mar").upload_from_string(b"other")
    before = copied(gcs)
    model = upload(artifact_uri="gs://models/whole/")
    new = copied(gcs) - before
    assert sorted(name.split("/", 1)[1] for name in new) == ["model.mar", "sub/a b.txt"]
    bucket.blob("whole/model.mar").upload_from_string(b"changed later")
    (weights,) = (name for name in new if name.endswith("model.mar"))
    assert gcs.bucket(COPIES).blob(weights).download_as_bytes() == b"weights"
    model.delete()
    assert copied(gcs) == before


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"artifact_uri": "gs://models/nothing"}, "'gs://models/nothing' holds no objects"),
        ({"artifact_uri": "gs://models/echo/model.mar"}, "holds no objects"),
        ({"version_aliases": ["v1.0"]}, "'v1.0'"),
        ({"labels": {"Team": "x"}}, "'Team'"),
        ({"model_id": "1model"}, "'1model'"),
        ({"serving_container_ports": [0]}, "port 0"),
        ({"model_id": "m", "parent_model": "missing"}, "only for a new model"),
        ({"serving_container_image_uri": None, "artifact_uri": None}, "image_uri is required"),
    ],
)
def test_uploads_that_are_refused(upload: Upload, fields: dict[str, Any], message: str) -> None:
    before = {model.resource_name for model in aiplatform.Model.list()}
    with pytest.raises(exceptions.BadRequest, match=message):
        upload(**fields)
    assert {model.resource_name for model in aiplatform.Model.list()} == before


def test_missing_parents_and_buckets_are_not_found(upload: Upload) -> None:
    with pytest.raises(exceptions.NotFound, match="missing-parent"):
        upload(parent_model="missing-parent")
    with pytest.raises(exceptions.NotFound, match="gs://no-such-bucket"):
        upload(artifact_uri="gs://no-such-bucket/model")


def test_a_model_id_is_given_once_even_to_two_at_the_same_time(upload: Upload, gcs: storage.Client) -> None:
    before = copied(gcs)
    outcomes: list[str] = []

    def register() -> None:
        try:
            outcomes.append(upload(model_id="once").version_id)
        except exceptions.Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=register) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["1", "conflict"]
    with pytest.raises(exceptions.Conflict, match="once"):
        upload(model_id="once")
    assert len(copied(gcs) - before) == 1


def test_versions_are_deleted_but_not_the_default_nor_the_only_one(upload: Upload) -> None:
    model = upload(model_id="deleted")
    registry = model.versioning_registry
    with pytest.raises(exceptions.FailedPrecondition, match="only version"):
        registry.delete_version("1")
    upload(parent_model="deleted")
    with pytest.raises(exceptions.FailedPrecondition, match="default version"):
        registry.delete_version("2")
    registry.delete_version("1")
    assert list(aliases_by_version(model)) == ["2"]
    assert upload(parent_model="deleted").version_id == "3"
    model.delete()
    with pytest.raises(exceptions.NotFound):
        aiplatform.Model("deleted")


def test_operations_are_pending_first_and_polled_at_both_places(vertex: Emulator) -> None:
    parent = "projects/my-project/locations/us-central1"
    model = {"displayName": "raw", "containerSpec": {"imageUri": "i"}}
    pending = httpx.post(f"{vertex.vertex_host}/v1/{parent}/models:upload", json={"model": model}).json()
    assert "done" not in pending
    assert pending["metadata"]["@type"].endswith("v1.UploadModelOperationMetadata")
    for place in ("ui", "v1"):
        done = httpx.get(f"{vertex.vertex_host}/{place}/{pending['name']}").json()
        while not done.get("done"):
            done = httpx.get(f"{vertex.vertex_host}/{place}/{pending['name']}").json()
        assert done["response"]["modelVersionId"] == "1"


def test_what_is_not_emulated_says_so(vertex: Emulator) -> None:
    parent = f"{vertex.vertex_host}/v1/projects/p/locations/us-central1"
    for answer in (
        httpx.get(f"{parent}/datasets"),
        httpx.post(f"{parent}/models/1:export", json={}),
        httpx.post(f"{parent}/batchPredictionJobs", json={"generateExplanation": True}),
        httpx.post(f"{parent}/batchPredictionJobs", json={"instanceConfig": {"instanceType": "object"}}),
        httpx.post(f"{parent.replace('v1', 'v1beta1')}/endpoints/1:predict", json={"instances": []}),
        httpx.get(f"{vertex.vertex_host}/elsewhere"),
    ):
        assert answer.status_code == 501
        assert answer.json()["error"]["status"] == "UNIMPLEMENTED"
        assert "not emulated" in answer.json()["error"]["message"]
    broken = httpx.post(f"{parent}/models:upload", content=b"{not json")
    assert (broken.status_code, broken.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
