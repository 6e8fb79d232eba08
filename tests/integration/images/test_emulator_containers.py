"""`emulator --containers`: models are served by the image that they are registered with, whatever it is."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed.archives import ECHO_HANDLER, archive
from testbed.deadlines import ANSWER_SECONDS, MOMENT_SECONDS, READY_SECONDS, STOP_SECONDS
from testbed.processes import wait_until
from tests.commands import COMMAND
from tests.emulator_command import running
from vertex_torchserve import docker
from vertex_torchserve.emulator import Emulator
from vertex_torchserve.serving.probe import PROBE_COMMAND

PARENT = "/v1/projects/my-project/locations/us-central1"
PYTHON = "/opt/venv/bin/python"
# A container of somebody else's: it tells what it was started with, dies, falls ill and drains when asked to.
SERVER = """\
import http.server, json, os, pathlib, signal, sys, threading

SICK = pathlib.Path("/tmp/sick")
STARTED = os.urandom(4).hex()
terminated = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: terminated.set())


class Handler(http.server.BaseHTTPRequestHandler):
    probed = False

    def do_GET(self):
        Handler.probed = True
        self.answer(503 if SICK.exists() else 200, {})

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        (asked,) = json.loads(self.rfile.read(length))["instances"]
        if asked == "die":
            os._exit(3)
        if asked == "fall ill":
            SICK.touch()
        if asked == "drain":
            print("draining", flush=True)
            terminated.wait(60)
        told = {"argv": sys.argv[1:], "environment": dict(os.environ), "path": self.path}
        told |= {"started": STARTED, "probed": Handler.probed}
        self.answer(200, {"predictions": [told]})

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


server = http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["AIP_HTTP_PORT"])), Handler)
server.daemon_threads = False
threading.Thread(target=server.serve_forever, daemon=True).start()
terminated.wait()
server.shutdown()
server.server_close()
"""


class Client:
    """The few calls that these tests make."""

    def __init__(self, vertex_host: str) -> None:
        self._http = httpx.Client(base_url=vertex_host, timeout=ANSWER_SECONDS, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def finish(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a call that is a long-running operation; returns it when it is done."""
        operation: dict[str, Any] = self._http.post(f"{PARENT}/{path}", json=body).raise_for_status().json()
        deadline = time.monotonic() + READY_SECONDS
        while not operation.get("done"):
            assert time.monotonic() < deadline, operation
            time.sleep(0.1)
            operation = self._http.get(f"/v1/{operation['name']}").json()
        return operation

    def upload(self, spec: dict[str, Any], artifact: str = "") -> str:
        """Upload a model; returns its name."""
        model = {"displayName": "m", "containerSpec": spec} | ({"artifactUri": artifact} if artifact else {})
        name: str = self.finish("models:upload", {"model": model})["response"]["model"]
        return name

    def deploy(self, spec: dict[str, Any], artifact: str = "") -> dict[str, Any]:
        """Upload a model and deploy it; returns the last operation."""
        return self.deploy_uploaded(self.upload(spec, artifact))

    def deploy_uploaded(self, uploaded: str) -> dict[str, Any]:
        """Deploy a model to an endpoint of its own."""
        self.endpoint = self.finish("endpoints", {"displayName": "e"})["response"]["name"]
        path = self.endpoint.partition("/us-central1/")[2]
        return self.finish(
            f"{path}:deployModel", {"deployedModel": {"model": uploaded}, "trafficSplit": {"0": 100}}
        )

    def undeploy(self, operation: dict[str, Any]) -> None:
        path = self.endpoint.partition("/us-central1/")[2]
        deployed = operation["response"]["deployedModel"]["id"]
        assert "error" not in self.finish(f"{path}:undeployModel", {"deployedModelId": deployed})

    def ask(self, instance: object) -> httpx.Response:
        return self._http.post(f"/v1/{self.endpoint}:predict", json={"instances": [instance]})

    def told(self, instance: object = "tell") -> Any:
        answer = self.ask(instance)
        assert answer.is_success, answer.text
        return answer.json()["predictions"][0]

    def answers(self) -> bool:
        return self.ask("tell").is_success


def containers() -> set[str]:
    """The emulators' containers, also those that have ended."""
    listed = [docker.client(), "ps", "--all", "--quiet", "--filter", "label=vertex-torchserve-emulator"]
    return set(subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split())


def custom(image: str, **fields: Any) -> dict[str, Any]:
    """The containerSpec of the server above."""
    return {"imageUri": image, "command": [PYTHON, "-c", SERVER], **fields}


@pytest.fixture(scope="module")
def emulator(image: str) -> Iterator[Emulator]:
    before = containers()
    with Emulator.start(buckets=["models"], containers=True) as started:
        yield started
    assert containers() == before


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    made = Client(emulator.vertex_host)
    yield made
    made.close()


def test_a_container_of_somebody_else_runs_as_it_is_registered(client: Client, image: str) -> None:
    before = containers()
    spec = custom(
        image,
        args=["--greet", "$(GREETING)"],
        env=[{"name": "GREETING", "value": "hello from $(AIP_DEPLOYED_MODEL_ID)"}],
        ports=[{"containerPort": 9123}],
        predictRoute="/ask",
        healthRoute="/well",
        healthProbe={
            "httpGet": {"path": "/well"},
            # It listens before: no request may come by then.
            "initialDelaySeconds": 1,
            "periodSeconds": 1,
            "timeoutSeconds": int(MOMENT_SECONDS),
            "failureThreshold": 2,
        },
    )
    operation = client.deploy(spec)
    deployed = operation["response"]["deployedModel"]["id"]

    told = client.told()
    assert told["argv"] == ["--greet", f"hello from {deployed}"]
    assert told["path"] == "/ask"
    environment = told["environment"]
    assert (environment["AIP_HTTP_PORT"], environment["AIP_MODE"]) == ("9123", "PREDICTION")
    assert environment["AIP_STORAGE_URI"] == ""

    death = client.ask("die")
    assert (death.status_code, "is gone" in death.text) == (503, True)
    # The next container has the same address, and listens there while this client asks on.
    asked: list[httpx.Response] = []

    def is_answered() -> bool:
        asked.append(client.ask("tell"))
        return asked[-1].is_success

    wait_until(is_answered, READY_SECONDS, "the container that died answers again")
    (first,) = asked[-1].json()["predictions"]
    assert first["probed"]
    again = client.told()
    assert first["started"] == again["started"] != told["started"]

    client.ask("fall ill")
    wait_until(lambda: not client.answers(), READY_SECONDS, "no traffic for the container that fell ill")
    refusal = client.ask("tell")
    assert refusal.status_code == 503
    assert "its health probe does not pass" in refusal.json()["error"]["message"]
    (only,) = containers() - before
    docker.Container(only).execute("rm", "/tmp/sick")
    wait_until(client.answers, READY_SECONDS, "traffic for the container that is well again")
    assert client.told()["started"] == again["started"]

    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(client.told("drain")["started"]))
    asking.start()
    wait_until(lambda: "draining" in docker.Container(only).logs(), ANSWER_SECONDS, "it has the request")
    client.undeploy(operation)
    asking.join(STOP_SECONDS)
    assert answers == [again["started"]]
    assert containers() == before


def test_our_image_gets_its_artifact_from_the_emulated_bucket(
    emulator: Emulator, client: Client, image: str
) -> None:
    upload = {"uploadType": "media", "name": "echo/model.mar"}
    address = f"{emulator.storage_host}/upload/storage/v1/b/models/o"
    httpx.post(address, params=upload, content=archive(ECHO_HANDLER), trust_env=False).raise_for_status()
    spec = {
        "imageUri": image,
        "ports": [{"containerPort": 8080}],
        "predictRoute": "/predictions/model",
        "healthRoute": "/ping",
        "startupProbe": {"exec": {"command": [*PROBE_COMMAND, "--wait", "60"]}, "timeoutSeconds": 70},
        "healthProbe": {"exec": {"command": [*PROBE_COMMAND]}, "timeoutSeconds": 10},
        "sharedMemorySizeMb": 128,
    }
    operation = client.deploy(spec, "gs://models/echo")
    assert client.told({"a": [1]}) == {"echo": {"a": [1]}}
    client.undeploy(operation)


def test_a_container_that_keeps_ending_fails_the_deployment(client: Client, image: str) -> None:
    spec = {"imageUri": image, "command": ["sh", "-c", "echo no model here; exit 7"]}
    message = client.deploy(spec)["error"]["message"]
    assert "Model server never became ready" in message
    assert "started 3 times; at last it ended with code 7" in message
    assert message.endswith("no model here\nno model here\nno model here")


def test_an_image_that_cannot_be_had_fails_the_upload(client: Client) -> None:
    model = {"displayName": "m", "containerSpec": {"imageUri": "127.0.0.1:1/nowhere:1"}}
    message = client.finish("models:upload", {"model": model})["error"]["message"]
    assert message.startswith("The image '127.0.0.1:1/nowhere:1' can't be had: docker pull failed: ")


def test_a_tag_that_is_moved_after_the_upload_changes_nothing(client: Client, image: str) -> None:
    tag = f"vertex-torchserve-emulator-test:{os.getpid()}"
    subprocess.run([docker.client(), "tag", image, tag], check=True)
    try:
        uploaded = client.upload(custom(tag))
    finally:
        subprocess.run([docker.client(), "rmi", tag], check=True, stdout=subprocess.DEVNULL)
    operation = client.deploy_uploaded(uploaded)
    assert client.told()["argv"] == []
    client.undeploy(operation)


def test_probes_that_are_not_run_are_refused(client: Client, image: str) -> None:
    spec = custom(image, livenessProbe={"grpc": {"port": 9}})
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        client.deploy(spec)
    assert refusal.value.response.status_code == 501
    assert "containerSpec.livenessProbe.grpc" in refusal.value.response.text


def test_no_container_outlives_an_emulator_that_is_killed(image: str, tmp_path: Path) -> None:
    before = containers()
    command = [COMMAND, "emulator", "--containers", "--data-dir", str(tmp_path)]
    with running(command, environment=dict(os.environ)) as emulator:
        client = Client(emulator.environment["VERTEX_AI_EMULATOR_HOST"])
        client.deploy(custom(image))
        assert client.answers()
        assert len(containers() - before) == 1
        client.close()
        emulator.process.kill()
        wait_until(lambda: containers() == before, STOP_SECONDS, "the container is removed")
