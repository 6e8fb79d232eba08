"""Clients that write Google's host names themselves: the SDK's raw and streaming predictions, unchanged."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from testbed.archives import archive
from testbed.deadlines import MOMENT_SECONDS, PROGRAM_SECONDS
from tests.commands import COMMAND
from tests.emulator_command import running
from tests.integration.emulator.conftest import fill_bucket, storage_client
from vertex_torchserve.emulator import Emulator

API = "https://us-central1-aiplatform.googleapis.com/v1/projects/my-project/locations/us-central1"
# Sends a piece, and its answer only when the client has seen that piece and said so; the length of a text.
STREAMING_HANDLER = """\
import os
import time

from ts.handler_utils.utils import send_intermediate_predict_response


def handle(data, context):
    if data is None:
        return None
    if isinstance(data[0], str):
        return [len(text) for text in data]
    send_intermediate_predict_response(["first\\n"] * len(data), context.request_ids, "", 200, context)
    while not os.path.exists(data[0]["seen"]):
        time.sleep(0.02)
    return ["end"] * len(data)
"""
# No address, no adapter and no credentials in it: as it would be written for Google's own service.
PROGRAM = """\
import json, pathlib, sys
from google.cloud import aiplatform

aiplatform.init(project="my-project", location="us-central1", api_transport="rest")
container = dict(
    serving_container_image_uri="us-central1-docker.pkg.dev/p/r/torchserve-cpu:1",
    serving_container_predict_route="/predictions/model",
    serving_container_health_route="/ping",
    serving_container_environment_variables={"VTS_WORKERS": "1"},
)
echo, streaming = (
    aiplatform.Model.upload(display_name=name, artifact_uri=f"gs://models/{name}", **container)
    for name in ("echo", "streaming")
)
headers = {"Content-Type": "application/json"}
shared = aiplatform.Endpoint.create(display_name="shared")
shared.deploy(echo, machine_type="n1-standard-4")
raw = shared.raw_predict(b'{"instances": [12345678901234567]}', headers)
refused = list(shared.stream_raw_predict(b'{"instances": [1]}', headers))

dedicated = aiplatform.Endpoint.create(display_name="dedicated", dedicated_endpoint_enabled=True)
dedicated.deploy(streaming, machine_type="n1-standard-4")
seen = pathlib.Path(sys.argv[1])
pieces = []
for piece in dedicated.stream_raw_predict(json.dumps({"instances": [{"seen": str(seen)}]}).encode(), headers):
    pieces.append(piece.decode())
    seen.touch()
long = dedicated.predict(["x" * 2_000_000], use_dedicated_endpoint=True)
print(json.dumps({
    "raw": raw.json(),
    "model": raw.headers["X-Vertex-AI-Model"] == echo.resource_name,
    "refused": b"".join(refused).decode(),
    "pieces": pieces,
    "long": long.predictions,
}))
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[Emulator]:
    with Emulator.start(buckets=["models"], google_hosts=True) as running:
        fill_bucket(running.storage_host)
        client = storage_client(running.storage_host)
        client.bucket("models").blob("streaming/model.mar").upload_from_string(archive(STREAMING_HANDLER))
        client.close()
        yield running


@pytest.fixture
def session(hosts: Emulator) -> Iterator[requests.Session]:
    """A client with the settings that the emulator prints, and none of this process's environment."""
    environment = hosts.environment()
    with requests.Session() as client:
        client.trust_env = False
        client.proxies = {"https": environment["HTTPS_PROXY"]}
        client.verify = environment["REQUESTS_CA_BUNDLE"]
        yield client


def test_the_unchanged_sdk_predicts_raw_and_in_pieces(hosts: Emulator, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "seen")],
        env={**os.environ, **hosts.environment()},
        capture_output=True,
        text=True,
        check=False,
        timeout=PROGRAM_SECONDS,
    )
    assert answer.returncode == 0, answer.stderr
    said: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    # Raw bytes go through as they are: as a double the number would end in 568.
    assert said["raw"] == {"predictions": [{"echo": 12345678901234567}]}
    assert said["model"]
    assert "dedicated_endpoint_enabled" in said["refused"]
    assert said["pieces"][0] == "first"
    assert len(said["pieces"]) == 2
    assert said["long"] == [2_000_000]


def test_one_region_is_as_good_as_another(session: requests.Session) -> None:
    for region in ("europe-west4", "asia-east1"):
        url = f"https://{region}-aiplatform.googleapis.com/v1/projects/p/locations/{region}/models"
        assert session.get(url, timeout=MOMENT_SECONDS).json() == {"models": []}


def test_a_token_is_handed_out(session: requests.Session) -> None:
    answer = session.post("https://oauth2.googleapis.com/token", timeout=MOMENT_SECONDS)
    assert answer.json().keys() == {"access_token", "expires_in", "token_type"}


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/",
        "https://example.com/",
        "https://us-central1-aiplatform.googleapis.com.example.com/",
        "https://us-central1-aiplatform.googleapis.com:8443/",
    ],
)
def test_no_other_host_is_reached(session: requests.Session, url: str) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="not emulated"):
        session.get(url, timeout=MOMENT_SECONDS)


def test_who_does_not_trust_the_authority_is_not_fooled(session: requests.Session) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        session.get(f"{API}/models", timeout=MOMENT_SECONDS, verify=True)


def test_large_bodies_pass_both_ways(session: requests.Session) -> None:
    answer = session.post(f"{API}/endpoints", data=b"{" + b" " * 9_000_000 + b"}", timeout=MOMENT_SECONDS)
    assert "display name '' has 0 characters" in answer.json()["error"]["message"]


def test_the_command_prints_what_one_program_needs(tmp_path: Path) -> None:
    command = [COMMAND, "emulator", "--google-hosts", "--data-dir", str(tmp_path)]
    with running(command, environment=dict(os.environ), variables=6) as emulator:
        certificate = Path(emulator.environment["REQUESTS_CA_BUNDLE"])
        assert certificate.is_relative_to(tmp_path)
        assert b"PRIVATE KEY" not in b"".join(path.read_bytes() for path in certificate.parent.iterdir())
        assert Path(emulator.environment["GOOGLE_APPLICATION_CREDENTIALS"]).is_file()
        assert emulator.environment["HTTPS_PROXY"].startswith("http://127.0.0.1:")
