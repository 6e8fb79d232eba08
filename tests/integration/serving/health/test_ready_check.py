"""An archive with a golden request is ready only when it answers it right."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed.archives import ECHO_HANDLER, write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.local_server import ServingProcess

GOLDEN = {"instances": ["a", 1.0], "predictions": [{"echo": "a"}, {"echo": 1.0002}]}
NAN_HANDLER = (
    "def handle(data, context):\n    return None if data is None else [float('nan') for _ in data]\n"
)


def write_golden_archive(store: Path, handler: str, golden: Any) -> None:
    write_archive(store, handler, files={"golden-request.json": json.dumps(golden)})


def test_ready_comes_after_the_right_answer(tmp_path: Path) -> None:
    write_golden_archive(tmp_path, ECHO_HANDLER, GOLDEN)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), "VTS_WORKERS": "1"}) as server:
        server.wait_ready(READY_SECONDS)
        log = server.log_tail(lines=500)
        assert httpx.get(f"{server.base_url}/ping", timeout=ANSWER_SECONDS).status_code == 200
    assert log.count("POST /predictions/model HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("handler", "golden", "code", "said"),
    [
        (
            ECHO_HANDLER,
            {**GOLDEN, "predictions": [{"echo": "b"}, {"echo": 1.0}]},
            1,
            'the golden request was not answered as expected: predictions[0].echo: expected "b", got "a"',
        ),
        (
            NAN_HANDLER,
            {"instances": [1]},
            1,
            "the golden request was answered 500, 200 is needed: prediction 0 can't be written as JSON",
        ),
        (
            ECHO_HANDLER,
            {"instances": 1},
            2,
            'golden-request.json: "instances" must be a list of at least one',
        ),
    ],
    ids=["wrong", "nan", "malformed"],
)
def test_a_wrong_answer_ends_the_server(
    tmp_path: Path, handler: str, golden: Any, code: int, said: str
) -> None:
    write_golden_archive(tmp_path, handler, golden)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), "VTS_WORKERS": "1"}) as server:
        with pytest.raises(ServingError) as caught:
            server.wait_ready(READY_SECONDS)
        assert server.stop() == code
    assert said in caught.value.message
