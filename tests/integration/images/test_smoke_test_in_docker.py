"""`smoke-test --image`: the same checks on an archive in a container, of which nothing is left."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import BROKEN_HANDLER, write_archive
from testbed.deadlines import PROGRAM_SECONDS, READY_SECONDS
from testbed.processes import wait_until
from tests.commands import run_command
from vertex_torchserve.docker import client
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving_plan import ContainerSpec, ServingPlan
from vertex_torchserve.smoke_test.report import SmokeTestReport
from vertex_torchserve.smoke_test.run import run_smoke_test

# A server that is not ours and keeps no more than the contract: port, /ping, the predict route.
FOREIGN_SERVER = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({"served": os.listdir(os.environ["AIP_STORAGE_URI"])})

    def do_POST(self):
        assert self.path == os.environ["AIP_PREDICT_ROUTE"]
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer({"predictions": [len(text) for text in asked["instances"]]})

http.server.HTTPServer(("", int(os.environ["AIP_HTTP_PORT"])), Handler).serve_forever()
"""


def docker(*arguments: str, stdin: str | None = None) -> str:
    return subprocess.run(
        [client(), *arguments],
        input=stdin, stdout=subprocess.PIPE, text=True, check=True, timeout=PROGRAM_SECONDS,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
    ).stdout  # fmt: skip


def smoke_test(mar_path: Path, instances: list[Any], image: str) -> SmokeTestReport:
    plan = ServingPlan.of(mar_path, ContainerSpec(image))
    return run_smoke_test(plan, [PredictionRequest(instances)], in_container=True)


def containers_of(image: str) -> list[str]:
    """Those started by this name; docker's own filter counts every container of the same image."""
    lines = docker("ps", "--all", "--format", "{{.Image}} {{.ID}}").splitlines()
    return [line for line in lines if line.startswith(f"{image} ")]


@pytest.fixture
def own_image(image: str, request: pytest.FixtureRequest) -> str:
    """The image under a name nobody else runs, so that what is left of it can be counted."""
    name = f"vts-test/{request.node.name.replace('_', '-')}-{os.getpid()}/torchserve-cpu:1"
    docker("tag", image, name)
    request.addfinalizer(lambda: docker("rmi", name))
    return name


def test_an_archive_that_serves_in_a_folder_nobody_else_may_enter(own_image: str, tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    (tmp_path / "instances.json").write_text('["a", "b"]')
    run = run_command(
        "smoke-test",
        str(mar),
        "--instances",
        str(tmp_path / "instances.json"),
        "--image",
        own_image,
        "--json",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads(run.stdout)
    assert report["image"] == own_image
    assert report["predictions"] == [{"echo": "a"}, {"echo": "b"}]
    assert [check["name"] for check in report["checks"]] == [
        "archive", "ready", "probes", "status", "json", "predictions", "stopped",
    ]  # fmt: skip
    assert containers_of(own_image) == []


THRESHOLD_HANDLER = """
import os, socket

THRESHOLD = float(os.environ["THRESHOLD"])


def outside():
    try:
        socket.create_connection(("192.0.2.1", 80), 2).close()
    except OSError as error:
        return type(error).__name__
    return "reached"


def handle(data, context):
    return None if data is None else [[os.getuid(), os.environ["AIP_HTTP_PORT"], outside()] for _ in data]
"""


def networks() -> set[str]:
    return {name for name in docker("network", "ls", "--format", "{{.Name}}").split() if "vts-" in name}


def test_the_options_that_only_a_container_can_honour(own_image: str, tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text('["a"]')
    run = run_command(
        "smoke-test", str(write_archive(tmp_path, THRESHOLD_HANDLER)), "--json", "--like-vertex",
        "--instances", str(tmp_path / "instances.json"), "--image", own_image, "--env", "THRESHOLD=0.5",
        "--predict-route", "/v1/ask", "--health-route", "/v1/healthy", "--port", "7080",
        "--network", "none", "--read-only", "--user", "54321:0",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    ((user, port, reached),) = json.loads(run.stdout)["predictions"]
    assert (user, port) == (54321, "7080")
    assert reached != "reached"
    assert containers_of(own_image) == []
    # Tests beside this one have such networks as well, for a while.
    left = networks()
    wait_until(lambda: not left & networks(), READY_SECONDS, f"its network of {left} is removed")


def test_an_archive_that_can_t_load_ends_early_with_the_cause(own_image: str, tmp_path: Path) -> None:
    report = smoke_test(write_archive(tmp_path, BROKEN_HANDLER), ["a"], own_image)
    assert [check.name for check in report.checks if not check.ok] == ["ready"]
    assert "the container ended with code 1 before the model was ready" in report.failure()
    assert "ValueError: the weights are of another model" in report.failure()
    assert containers_of(own_image) == []


def test_a_foreign_image_is_judged_by_ping_and_predictions(
    image: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = f"vts-test/foreign-{os.getpid()}:1"
    server = json.dumps(["/opt/venv/bin/python", "-c", FOREIGN_SERVER])
    docker(
        "build", "--quiet", "--tag", name, "-", stdin=f"FROM {image}\nENTRYPOINT {server}\nHEALTHCHECK NONE\n"
    )
    request.addfinalizer(lambda: docker("rmi", name))
    report = smoke_test(write_archive(tmp_path), ["one", "three"], name)
    assert report.failure() == ""
    assert report.predictions == [3, 5]
    assert [check.name for check in report.checks] == ["archive", "ready", "status", "json", "predictions"]
    assert containers_of(name) == []


def test_an_image_that_is_not_there(image: str, tmp_path: Path) -> None:
    (tmp_path / "i.json").write_text("[1]")
    run = run_command(
        "smoke-test", str(write_archive(tmp_path)), "--instances", str(tmp_path / "i.json"),
        "--image", "localhost:1/no-such-image:none",
    )  # fmt: skip
    assert run.returncode == 2
    assert "localhost:1/no-such-image:none" in run.stderr
    assert "fix: correct its name, or build it" in run.stderr
