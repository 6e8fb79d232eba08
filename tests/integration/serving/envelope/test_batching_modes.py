"""TorchServe's other ways to make batches, in a real server."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from testbed.archives import ASYNC_HANDLER, COUNTING_HANDLER, write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.local_server import ServingProcess


def answers(store: Path, handler: str, config: str, *texts: str) -> list[httpx.Response]:
    """Serve a handler and send one request for each text, all at once."""
    write_archive(store, handler, config=config)
    with ServingProcess({"AIP_STORAGE_URI": str(store), "VTS_WORKERS": "1"}) as server:
        server.wait_ready(READY_SECONDS)
        with httpx.Client(base_url=server.base_url, timeout=ANSWER_SECONDS) as client:
            with ThreadPoolExecutor(8) as pool:
                return list(
                    pool.map(
                        lambda text: client.post("/predictions/model", json={"instances": [text]}), texts
                    )
                )


SLOW_HANDLER = """\
import time


def handle(data, context):
    if data is not None:
        time.sleep(0.5)
        return data
"""


def test_full_sequences(tmp_path: Path) -> None:
    config = (
        "sequenceBatching: true\nmaxNumSequence: 1\nmaxSequenceJobQueueSize: 1\nsequenceMaxIdleMSec: 60000\n"
    )
    write_archive(tmp_path, SLOW_HANDLER, config=config)
    with ServingProcess({"AIP_STORAGE_URI": str(tmp_path), "VTS_WORKERS": "1"}) as server:
        server.wait_ready(READY_SECONDS)

        def ask(sequence: str) -> tuple[int, object]:
            answer = httpx.post(
                f"{server.base_url}/predictions/model",
                json={"instances": [1]}, headers={"ts_request_sequence_id": sequence}, timeout=ANSWER_SECONDS,
            )  # fmt: skip
            return answer.status_code, answer.json()

        assert ask("a") == (200, {"predictions": [1]})
        assert ask("b") == (
            503,
            {
                "error": "sequences that are open: 1, the most that the model may have; end one, or begin "
                "this one later"
            },
        )
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(ask, "aaaa"))
    assert (200, {"predictions": [1]}) in answers
    assert (
        503,
        {
            "error": "requests of this sequence that are waiting: 1, the most that may; send this one again "
            "later"
        },
    ) in answers


def test_asynchronous_workers(tmp_path: Path) -> None:
    texts = ["a", "bad", "b", "c"]
    got = answers(tmp_path, ASYNC_HANDLER, "asyncCommunication: true\nbatchSize: 4\n", *texts)
    assert [answer.status_code for answer in got] == [200, 500, 200, 200]
    assert [answer.json().get("predictions") for answer in got] == [["A"], None, ["B"], ["C"]]


def test_continuous_batching(tmp_path: Path) -> None:
    config = "continuousBatching: true\nbatchSize: 4\n"
    got = answers(tmp_path, COUNTING_HANDLER, config, "abc", "x", "defg", "yz")
    assert [(answer.status_code, json.loads(answer.content)) for answer in got] == [
        (200, {"predictions": [["abc1", "abc2", "abc3"]]}),
        (200, {"predictions": [["x1"]]}),
        (200, {"predictions": [["defg1", "defg2", "defg3", "defg4"]]}),
        (200, {"predictions": [["yz1", "yz2"]]}),
    ]
