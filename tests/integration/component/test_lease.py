"""Several tries of one upload, at once or one after the death of the other, make one version."""

import os
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import pytest

from testbed.archives import archive
from testbed.deadlines import ANSWER_SECONDS, MOMENT_SECONDS
from testbed.vertex_gateway import Gateway
from tests.commands import COMMAND
from tests.integration.component.component_runs import LOCATION, PROJECT, Cloud
from vertex_torchserve.errors import InputError
from vertex_torchserve.gcs import GcsPath
from vertex_torchserve.gcs.notes import read_note, remove_note, write_note
from vertex_torchserve.process_identity import has_ended, this_process
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.vertex_ai import ModelUpload, RegisteredModel, register_archive
from vertex_torchserve.vertex_ai.lease import Applicant
from vertex_torchserve.vertex_ai.serving_container import ServingContainer

FOLDER = GcsPath.parse("gs://bucket/leases")
IMAGE = f"{LOCATION}-docker.pkg.dev/p/serving/torchserve-cpu:1"
SHORT_SECONDS = 1.0


def plan_of(folder: Path, weights: str) -> ServingPlan:
    mar = folder / "model.mar"
    mar.write_bytes(archive(files={"model.pt": weights}))
    return ServingPlan.of(mar, ContainerSpec(IMAGE))


def upload_of(name: str) -> ModelUpload:
    return ModelUpload(PROJECT, LOCATION, name)


def test_two_tries_at_once_are_one_version(cloud: Cloud, tmp_path: Path) -> None:
    plan, made = plan_of(tmp_path, "at once"), list[RegisteredModel]()
    tries = [
        threading.Thread(target=lambda: made.append(register_archive(plan, FOLDER, upload_of("at once"))))
        for _ in range(3)
    ]
    for each in tries:
        each.start()
    for each in tries:
        each.join(ANSWER_SECONDS)
    assert sorted(model.already_registered for model in made) == [False, True, True]
    assert len({model.versioned_resource_name for model in made}) == 1
    assert len(cloud.versions("at once")) == 1
    assert [key for key in cloud.keys_beneath("leases") if "-lease/" in key] == []


def test_a_lease_without_a_sign_of_life_is_taken_over(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    holder = Applicant(FOLDER.child("other"), SHORT_SECONDS).take()
    assert holder is not None
    with holder:  # renewed: nobody else gets it
        other = Applicant(FOLDER.child("other"), SHORT_SECONDS)
        until = time.monotonic() + 2 * SHORT_SECONDS
        while time.monotonic() < until:
            assert other.take() is None
            time.sleep(0.1)
        assert "waiting for another upload of the same version" in caplog.text
    # The same place, of one who is gone: written by hand, and never again.
    fields = {"stage": "preparing", "host": "elsewhere", "process": "", "renewal": "0"}
    note = write_note(FOLDER.child("other"), fields, None)
    assert note is not None
    began = time.monotonic()
    applicant = Applicant(FOLDER.child("other"), SHORT_SECONDS)
    while (taken := applicant.take()) is None:
        time.sleep(0.1)
    assert SHORT_SECONDS <= time.monotonic() - began < MOMENT_SECONDS
    with taken:
        assert taken.follows_another
        assert taken.may_register()
    assert read_note(FOLDER.child("other")) is None


def test_who_lost_the_lease_does_not_register(cloud: Cloud) -> None:
    path = FOLDER.child("lost")
    lease = Applicant(path).take()
    assert lease is not None
    with lease:
        there = read_note(path)
        assert there is not None
        mine = write_note(path, {"holder": "another"}, there)
        assert mine is not None
        assert not lease.may_register()
    assert read_note(path) == mine  # the other's stays
    assert write_note(path, {"holder": "late"}, None) is None
    assert write_note(path, {"holder": "late"}, there) is None
    remove_note(there)
    assert read_note(path) == mine
    remove_note(mine)
    remove_note(mine)
    assert read_note(path) is None


def test_a_process_is_told_from_others_and_its_end_is_seen() -> None:
    assert not has_ended(this_process())
    assert not has_ended("")
    assert not has_ended(f"another-machine 4711 {os.getpid()} 1")
    program = "import sys, vertex_torchserve.process_identity as p; print(p.this_process(), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}; sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told = process.stdout.readline().strip()
        assert not has_ended(told)
        process.kill()
        until = time.monotonic() + MOMENT_SECONDS
        while not has_ended(told) and time.monotonic() < until:
            time.sleep(0.01)
        assert has_ended(told)  # before anybody has waited for it
    assert has_ended(told)


def test_killed_while_vertex_ai_goes_on_uploading_it_is_one_version(
    cloud: Cloud, tmp_path: Path, gateway: Gateway
) -> None:
    plan = plan_of(tmp_path, "goes on")
    gateway.upload_delay_s = 4.0
    arguments = [
        "upload", str(plan.mar_path), "--bucket", str(FOLDER), "--project", PROJECT, "--location", LOCATION,
        "--display-name", "goes on", "--serving-container-image-uri", IMAGE, "--predict-route",
        "/predictions/model",
    ]  # fmt: skip
    with subprocess.Popen([COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as first:
        until = time.monotonic() + ANSWER_SECONDS
        while not any("models:upload" in line for line in gateway.asked):
            assert first.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        first.kill()
    again = ServingPlan.of(plan.mar_path, sent_by_the_command())
    registered = register_archive(again, FOLDER, upload_of("goes on"), lease_seconds=SHORT_SECONDS)
    assert registered.already_registered
    assert len(cloud.versions("goes on")) == 1
    left = FOLDER.child(f"{plan.sha256[:16]}-lease").child(
        cloud.versions("goes on")[0].labels["vertex_torchserve_upload"]
    )
    assert read_note(left) is None
    assert write_note(
        left, {"stage": "registering"}, None
    )  # of one who was killed once the version was there
    assert register_archive(again, FOLDER, upload_of("goes on")).already_registered
    assert read_note(left) is None
    assert sum("models:upload" in line for line in gateway.asked) == 1


def sent_by_the_command() -> ContainerSpec:
    """The container of an upload with the command: one of ours has routes and probes."""
    return ServingContainer("model", custom_container=True, serving_container_image_uri=IMAGE).container_spec(
        date.today()
    )


def test_a_folder_that_holds_more_than_the_archive_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "not alone")
    first = register_archive(plan, FOLDER, upload_of("not alone"))
    renamed = tmp_path / "renamed.mar"
    renamed.write_bytes(plan.mar_path.read_bytes())
    with pytest.raises(
        InputError, match=r"holds model\.mar, and Vertex AI would copy it together with renamed\.mar"
    ):
        register_archive(ServingPlan.of(renamed, plan.container), FOLDER, upload_of("renamed"))
    assert cloud.versions("renamed") == []
    assert len(cloud.keys_beneath(first.artifact_uri.removeprefix("gs://bucket/"))) == 1
