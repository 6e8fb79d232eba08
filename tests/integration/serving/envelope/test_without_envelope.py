"""`envelope: none`: bodies and answers are the handler's own, as in stock TorchServe without an envelope."""

from collections.abc import Iterator

import httpx
import pytest

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess

HANDLER = """\
def handle(data, context):
    if data is None:
        return None
    answers = []
    for index, row in enumerate(data):
        body = row["body"]
        if isinstance(body, dict):
            answers.append({"read": body})
        else:
            context.set_response_content_type(index, "image/png")
            answers.append(b"\\x89PNG" + bytes(body))
    return answers
"""


@pytest.fixture(scope="module", params=["the archive says so", "the operator says so"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    store = tmp_path_factory.mktemp("store")
    archive = request.param == "the archive says so"
    write_archive(store, HANDLER, config="envelope: none\n" if archive else "")
    environment = {"AIP_STORAGE_URI": str(store), "VTS_WORKERS": "1"}
    with ServingProcess(environment if archive else {**environment, "VTS_ENVELOPE": "none"}) as server:
        server.wait_ready(READY_SECONDS)
        with httpx.Client(base_url=server.base_url, timeout=ANSWER_SECONDS) as client:
            yield client


def test_bytes_in_and_out(client: httpx.Client) -> None:
    answer = client.post("/predictions/model", content=b"!", headers={"content-type": "image/png"})
    assert (answer.status_code, answer.content) == (200, b"\x89PNG!")
    assert answer.headers["content-type"] == "image/png"


def test_json_is_read_and_written_by_torchserve(client: httpx.Client) -> None:
    answer = client.post("/predictions/model", json={"a": 1})
    assert (answer.status_code, answer.json()) == (200, {"read": {"a": 1}})
