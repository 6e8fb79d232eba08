"""One content is one version, however often it is tried; and what Vertex AI's failures become."""

import time
from pathlib import Path
from typing import Any

import pytest
from google.api_core.future import polling

from testbed.archives import archive
from testbed.vertex_gateway import Gateway
from tests.integration.component.component_runs import LOCATION, PROJECT, Cloud, run_here
from vertex_torchserve.errors import InputError, RegistryError
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload, RegisteredModel, intended_version, register_archive

FOLDER = GcsPath.parse("gs://bucket/archives")
SOON_SECONDS = 60  # the SDK waits 900 s for an operation
IMAGE = f"{LOCATION}-docker.pkg.dev/p/serving/torchserve-cpu:1"


@pytest.fixture
def mar_path(tmp_path: Path) -> Path:
    """Another archive for each test: of the same one there would be nothing left to upload."""
    return write_archive(tmp_path / "model.mar", f"weights of {tmp_path}")


def write_archive(path: Path, weights: str) -> Path:
    path.write_bytes(archive(files={"model.pt": weights}))
    return path


def served(mar_path: Path, **container: Any) -> ServingPlan:
    return ServingPlan.of(mar_path, ContainerSpec(IMAGE, **container))


def names(display_name: str, **fields: Any) -> ModelUpload:
    return ModelUpload(
        **{
            "project": PROJECT,
            "location": LOCATION,
            "display_name": display_name,
            **fields,
        }
    )


def test_the_whole_component_again_is_the_same_version(cloud: Cloud) -> None:
    inputs = cloud.put_model("retried")
    first, again = run_here(**inputs), run_here(**inputs)
    assert (first.uri, first.metadata) == (again.uri, again.metadata)
    assert len(cloud.versions("retried")) == 1
    assert len(cloud.keys_beneath("retried/model-archive")) == 1


def test_the_whole_component_again_with_a_parent_is_the_same_version(cloud: Cloud) -> None:
    inputs = cloud.put_model("parent")
    parent = run_here(**inputs).metadata["VertexModelID"]
    cloud.storage.put("parent/ckpt.pt", "weights of parent, trained longer")
    inputs = {**inputs, "parent_model": parent, "version_description": "trained longer"}
    first, again = run_here(**inputs), run_here(**inputs)
    assert first.metadata == again.metadata
    assert first.metadata["resourceName"] == f"{parent}@2"
    assert [version.version_description for version in cloud.versions("parent")] == ["", "trained longer"]


def test_a_retry_finds_a_version_that_is_no_longer_the_default(cloud: Cloud, mar_path: Path) -> None:
    parent = register_archive(served(mar_path), FOLDER, names("older")).resource_name
    upload = names("older", parent_model=parent, is_default_version=True)
    second = write_archive(mar_path.with_name("second.mar"), "second")
    third = write_archive(mar_path.with_name("third.mar"), "third")
    assert register_archive(served(second), FOLDER, upload).version_id == "2"
    assert register_archive(served(third), FOLDER, upload).version_id == "3"
    again = register_archive(served(second), FOLDER, upload)
    assert (again.version_id, again.already_registered) == ("2", True)
    assert len(cloud.versions("older")) == 3


@pytest.mark.parametrize("form", ["{id}", "{id}@1", "{name}", "{name}@1", "{name}@default"])
def test_a_parent_by_id_by_name_and_with_a_version(cloud: Cloud, mar_path: Path, form: str) -> None:
    name = f"parent {form}"
    parent = register_archive(served(mar_path), FOLDER, names(name))
    given = form.format(id=parent.resource_name.rpartition("/")[2], name=parent.resource_name)
    newer = write_archive(mar_path.with_name("newer.mar"), "newer")
    child = register_archive(served(newer), FOLDER, names(name, parent_model=given))
    assert child.versioned_resource_name == f"{parent.resource_name}@2"
    assert len(cloud.versions(name)) == 2


def test_default_moves_only_when_asked_and_aliases_are_left_as_they_were(
    cloud: Cloud, mar_path: Path
) -> None:
    aliases = ["golden"]
    parent = register_archive(served(mar_path), FOLDER, names("aliases", version_aliases=aliases))
    for weights, fields in (
        ("second", {"version_aliases": ("candidate",), "version_description": "second try"}),
        ("third", {"version_aliases": aliases, "is_default_version": True, "labels": {"team": "nlp"}}),
    ):
        archive = write_archive(mar_path.with_name(f"{weights}.mar"), weights)
        register_archive(
            served(archive), FOLDER, names("aliases", parent_model=parent.resource_name, **fields)
        )
        if weights == "second":
            assert [list(version.version_aliases) for version in cloud.versions("aliases")] == [
                ["default", "golden"],
                ["candidate"],
            ]
    assert aliases == ["golden"]
    first, second, third = cloud.versions("aliases")
    assert [list(each.version_aliases) for each in (first, second, third)] == [
        [],
        ["candidate"],
        ["default", "golden"],
    ]
    assert second.version_description == "second try"
    assert third.labels["team"] == "nlp"
    assert dict(third.labels) == {
        "team": "nlp",
        "vertex_torchserve_upload": third.labels["vertex_torchserve_upload"],
        "vertex_torchserve_before_default": "1",
        "vertex_torchserve_before_golden": "1",
    }


@pytest.mark.parametrize(
    ("first", "other"),
    [({}, {"labels": {"a": "b"}}), ({"description": "x"}, {})],
)
def test_another_plan_is_another_model(
    cloud: Cloud, mar_path: Path, first: dict[str, Any], other: dict[str, Any], request: Any
) -> None:
    name = request.node.name
    for fields in (first, other):
        assert not register_archive(served(mar_path), FOLDER, names(name, **fields)).already_registered
    assert len(cloud.versions(name)) == 2


def test_another_port_is_another_model(cloud: Cloud, mar_path: Path) -> None:
    for ports in ((), (7080,)):
        plan = served(mar_path, ports=ports)
        assert not register_archive(plan, FOLDER, names("another port")).already_registered
    assert len(cloud.versions("another port")) == 2


def test_an_archive_that_changed_since_it_was_proved_is_not_registered(cloud: Cloud, mar_path: Path) -> None:
    plan = served(mar_path)
    write_archive(mar_path, "other weights")
    with pytest.raises(InputError, match=r"model\.mar has changed since it was looked at"):
        register_archive(plan, FOLDER, names("changed"))
    assert cloud.versions("changed") == []


def methods_of(gateway: Gateway) -> set[str]:
    return {line.split()[0] for line in gateway.asked}


def test_what_will_happen_is_told_before_and_changes_nothing(
    cloud: Cloud, mar_path: Path, gateway: Gateway
) -> None:
    before = cloud.storage.keys()
    intended = intended_version(served(mar_path), FOLDER, names("told", version_aliases=["prod"]))
    assert (methods_of(gateway), cloud.storage.keys()) == ({"GET"}, before)
    assert (intended.version_id, intended.upload_bytes) == ("1", mar_path.stat().st_size)
    assert intended.in_words() == (
        f"new model told, sets alias prod, sets alias default, 0.0 MB to upload to {intended.artifact_uri}"
    )
    first = register_archive(served(mar_path), FOLDER, names("told", version_aliases=["prod"]))
    assert (first.version_id, first.artifact_uri) == ("1", intended.artifact_uri)

    newer = write_archive(mar_path.with_name("newer.mar"), "newer")
    upload = names("told", parent_model=first.resource_name, version_aliases=["prod", "fresh"])
    gateway.asked.clear()
    intended = intended_version(served(newer), FOLDER, upload)
    assert methods_of(gateway) == {"GET"}
    assert (intended.version_id, intended.model_resource_name) == ("2", first.resource_name)
    assert (intended.moved_aliases, intended.new_aliases) == ({"prod": "1"}, ("fresh",))
    assert intended.in_words().startswith(
        f"new version 2 of told ({first.resource_name}), moves alias prod from 1, sets alias fresh, 0.0 MB"
    )
    assert register_archive(served(newer), FOLDER, upload).version_id == "2"
    one, two = cloud.versions("told")
    assert [sorted(each.version_aliases) for each in (one, two)] == [["default"], ["fresh", "prod"]]
    planned = intended.request["model"]
    assert dict(two.labels) == planned["labels"]
    assert planned["labels"]["vertex_torchserve_before_prod"] == "1"
    assert (two.artifact_uri, two.container_spec.image_uri) == (
        planned["artifactUri"],
        planned["containerSpec"]["imageUri"],
    )
    again = intended_version(served(newer), FOLDER, upload)
    assert (again.already_registered, again.version_id, again.upload_bytes) == (True, "2", 0)
    assert (again.moved_aliases, again.new_aliases) == ({}, ())
    with pytest.raises(RegistryError, match=r"not found: .*4711"):
        intended_version(served(newer), FOLDER, names("told", parent_model="4711"))


@pytest.mark.parametrize("with_parent", [False, True])
def test_an_upload_that_outlasts_the_sdks_patience_is_one_version(
    cloud: Cloud, mar_path: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, with_parent: bool
) -> None:
    name = f"slow {with_parent}"
    upload = names(name)
    if with_parent:
        older = write_archive(mar_path.with_name("older.mar"), "older")
        upload = names(name, parent_model=register_archive(served(older), FOLDER, upload).resource_name)
    gateway.upload_delay_s = 1.5
    monkeypatch.setattr(polling.DEFAULT_POLLING, "_timeout", 0.5)  # 900 s

    registered = register_archive(served(mar_path), FOLDER, upload)
    assert registered.version_id == ("2" if with_parent else "1")
    assert not registered.already_registered
    again = register_archive(served(mar_path), FOLDER, upload)
    assert again.versioned_resource_name == registered.versioned_resource_name
    assert again.already_registered
    assert len(cloud.versions(name)) == (2 if with_parent else 1)


def register(mar_path: Path, **fields: Any) -> RegisteredModel:
    """Register, which must end in seconds, whatever it ends with."""
    started = time.monotonic()
    try:
        return register_archive(served(mar_path), FOLDER, names("failing", **fields))
    finally:
        assert time.monotonic() - started < SOON_SECONDS


def test_nobody_answers(cloud: Cloud, mar_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERTEX_AI_EMULATOR_HOST", "127.0.0.1:9")
    with pytest.raises(RegistryError, match="Vertex AI can't be reached") as raised:
        register(mar_path)
    assert "VERTEX_AI_EMULATOR_HOST" in raised.value.fix


def test_no_permission(cloud: Cloud, mar_path: Path, gateway: Gateway) -> None:
    gateway.refusal = 403
    with pytest.raises(RegistryError, match=r"permission denied: .*no aiplatform\.models") as raised:
        register(mar_path)
    assert "roles/aiplatform.user" in raised.value.fix


def test_no_such_parent(cloud: Cloud, mar_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"not found: .*4711"):
        register(mar_path, parent_model="4711")


def test_what_vertex_ai_calls_an_invalid_argument_is_bad_input(
    cloud: Cloud, mar_path: Path, gateway: Gateway
) -> None:
    gateway.refusal = 400
    with pytest.raises(InputError, match=r"no aiplatform\.models"):
        register(mar_path)


def test_a_storage_service_nobody_answers_for(
    cloud: Cloud, mar_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="nobody answers for Cloud Storage"):
        register(mar_path)
    assert cloud.versions("failing") == []


def test_a_file_that_is_no_archive_is_refused_before_anything_is_sent(cloud: Cloud, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mar"
    broken.write_bytes(b"no zip")
    before = cloud.keys_beneath("archives")
    with pytest.raises(InputError):
        register(broken)
    assert cloud.keys_beneath("archives") == before
    assert cloud.versions("failing") == []
