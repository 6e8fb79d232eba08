"""The image runs as examples/kubernetes has it: variables, user, folders, limits, port, probes, drain."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.kubernetes_examples import (
    MODEL_STORE,
    deployed_pod,
    docker_options,
    environment,
    kserve_pod,
)
from testbed.processes import wait_until
from tests.integration.images.serving_container import ENGINE_PAUSE
from vertex_torchserve.docker import Container
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving_plan import Probe
from vertex_torchserve.smoke_test.probe_trial import tried

PORT = 8080
# Answers after as many seconds as the instance says.
SLEEPING_HANDLER = """\
import time


def handle(data, context):
    if data is None:
        return None
    time.sleep(max(data))
    return data
"""
GOLDEN = '{"instances": [0], "predictions": [0]}'


class Pod:
    """A container that runs as a pod's; killed at the end.

    Args:
        image: The image under test, in place of the example's.
        spec: The pod.
        store: The folder with the archive.
    """

    def __init__(self, image: str, spec: dict[str, Any], store: Path) -> None:
        self.spec = spec
        (self.container_spec,) = spec["containers"]
        self.container = Container.run(
            image,
            environment=environment(spec),
            read_only_mounts={store: MODEL_STORE},
            published_ports=[port["containerPort"] for port in self.container_spec["ports"]],
            options=docker_options(spec),
        )
        self.url = f"http://127.0.0.1:{self.container.published_port(PORT)}"

    def passes(self, probe_name: str) -> bool:
        """Whether a probe of the container succeeds; a port's name stands for its number."""
        (action,) = [name for name in self.container_spec[probe_name] if name in ("httpGet", "tcpSocket")]
        form = {action: {**self.container_spec[probe_name][action], "port": PORT}}
        try:
            tried(Probe(form), self.container, self.address, PORT)
        except ServingError:
            return False
        return True

    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.container.published_port(PORT)

    def wait_for(self, probe_name: str) -> None:
        def passed() -> bool:
            assert self.container.state().status == "running", self.container.logs()
            return self.passes(probe_name)

        wait_until(passed, READY_SECONDS, f"{probe_name} succeeds", pause=ENGINE_PAUSE)

    def end(self) -> int:
        """End it as a kubelet does: preStop, SIGTERM, and SIGKILL after the grace period."""
        began = time.monotonic()
        command = self.container_spec.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
        if command:
            self.container.execute(*command)
        left = self.spec["terminationGracePeriodSeconds"] - (time.monotonic() - began)
        return self.container.stop(int(left))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    write_archive(folder, SLEEPING_HANDLER, files={"golden-request.json": GOLDEN}, modelName="reviews")
    folder.chmod(0o755)
    return folder


def test_the_deployments_pod_gets_ready_predicts_and_drains(image: str, store: Path) -> None:
    pod = Pod(image, deployed_pod(), store)
    with pod.container, ThreadPoolExecutor() as others:
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            pod.wait_for(probe)
        with httpx.Client(base_url=pod.url, timeout=ANSWER_SECONDS) as client:
            answer = client.post("/predictions/reviews", json={"instances": [0]})
            assert (answer.status_code, answer.json()) == (200, {"predictions": [0]})
            slow = others.submit(client.post, "/predictions/reviews", json={"instances": [7]})
            ended = others.submit(pod.end)
            assert slow.result().json() == {"predictions": [7]}
            assert ended.result() in (0, 143)


def test_kserves_pod_gets_ready_and_predicts_by_its_protocol(image: str, store: Path) -> None:
    pod = Pod(image, kserve_pod(), store)
    with pod.container:
        pod.wait_for("readinessProbe")
        with httpx.Client(base_url=pod.url, timeout=ANSWER_SECONDS) as client:
            answer = client.post("/v1/models/reviews:predict", json={"instances": [0]})
            assert (answer.status_code, answer.json()) == (200, {"predictions": [0]})
            assert client.get("/v1/models/reviews").json() == {"name": "reviews", "ready": True}
