"""Handlers of other servers in a real TorchServe: batches of requests, files as bodies, no envelope."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from testbed.adapted_handler import write_model_folder
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.foreign_handlers import PNG, Case
from tests.commands import run_command
from vertex_torchserve.serving.local_server import ServingProcess

CONFIG = "minWorkers: 1\nmaxWorkers: 1\nbatchSize: 8\nmaxBatchDelay: 500\n"
ENDPOINT_HANDLER = """\
from PIL import Image


class EndpointHandler:
    def __init__(self, path=""):
        self.path = path

    def __call__(self, data):
        inputs = data["inputs"]
        if isinstance(inputs, Image.Image):
            return list(inputs.size)
        if inputs == "bad":
            raise ValueError("bad is refused")
        return [inputs, data.get("parameters")]
"""
OLDER_PIPELINE = """\
import asyncio


class PreTrainedPipeline:
    def __init__(self, path):
        self.lock = asyncio.Lock()

    async def __call__(self, inputs, top_k=1):
        async with self.lock:
            await asyncio.sleep(0.01)
        return inputs.split()[:top_k]
"""
INFERENCE = """\
import json


def model_fn(model_dir):
    return json.load(open(model_dir + "/factor.json"))


def input_fn(body, content_type):
    if content_type == "text/csv":
        return [float(value) for value in body.split(",")]
    return json.loads(body)


def predict_fn(data, model):
    return [value * model for value in data]


def output_fn(prediction, accept):
    if accept == "text/csv":
        return ",".join(map(str, prediction)), "text/csv"
    return json.dumps(prediction)
"""
ENDPOINT = Case("", "endpoint:handler.py", {"handler.py": ENDPOINT_HANDLER}, None, 0, None)
SAGEMAKER = Case(
    "", "sagemaker:code/inference.py", {"code/inference.py": INFERENCE, "factor.json": "2"}, None, 0, None
)


@contextmanager
def serving(case: Case, folder: Path, config: str = CONFIG) -> Iterator[httpx.Client]:
    """Packaged by the command, served as everywhere."""
    model = write_model_folder(case, folder / "model")
    (model / "model-config.yaml").write_text(config)
    store = folder / "store"
    run = run_command(
        "package", str(model), "--handler", case.handler, "--export-path", str(store), cwd=folder
    )
    assert run.returncode == 0, run.stderr
    with ServingProcess({"AIP_STORAGE_URI": str(store)}) as server:
        server.wait_ready(READY_SECONDS)
        with httpx.Client(base_url=server.base_url, timeout=ANSWER_SECONDS) as client:
            yield client


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(ENDPOINT, tmp_path_factory.mktemp("endpoint")) as client:
        yield client


@pytest.fixture(scope="module")
def sagemaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(SAGEMAKER, tmp_path_factory.mktemp("sagemaker")) as client:
        yield client


def at_once(client: httpx.Client, *bodies: object) -> list[tuple[int, object]]:
    """Send requests that come into one batch."""

    def send(body: object) -> tuple[int, object]:
        answer = client.post("/predictions/model", json=body)
        assert answer.headers["content-type"] == "application/json"
        return answer.status_code, json.loads(re.sub(r" \(request .*?\)", "", answer.text))

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, bodies))


def test_a_bad_request_beside_good_ones_of_an_endpoint_handler(endpoint: httpx.Client) -> None:
    assert at_once(
        endpoint,
        {"instances": ["a"]},
        {"instances": ["b", "bad"]},
        {"instances": ["c"], "parameters": {"top_k": 1}},
        {"instances": "a"},
    ) == [
        (200, {"predictions": [["a", None]]}),
        (400, {"error": "instance 1: bad is refused"}),
        (200, {"predictions": [["c", {"top_k": 1}]]}),
        (400, {"error": '"instances" must be a list, got a string'}),
    ]


def test_a_picture_as_the_whole_body(endpoint: httpx.Client) -> None:
    answer = endpoint.post("/predictions/model", content=PNG, headers={"content-type": "image/png"})
    assert (answer.status_code, answer.json()) == (200, {"predictions": [[2, 1]]})


def test_an_async_pipeline_of_the_older_class(tmp_path: Path) -> None:
    case = Case("", "endpoint:pipeline.py", {"pipeline.py": OLDER_PIPELINE}, None, 0, None)
    with serving(case, tmp_path) as client:
        assert at_once(
            client,
            {"instances": ["a b", "c d"]},
            {"instances": ["e f g"], "parameters": {"top_k": 2}},
            {"instances": ["h"], "parameters": {"beams": 2}},
        ) == [
            (200, {"predictions": [["a"], ["c"]]}),
            (200, {"predictions": [["e", "f"]]}),
            (500, {"error": "instance 0: the prediction failed"}),
        ]


def test_a_bad_request_beside_good_ones_of_an_inference_py(sagemaker: httpx.Client) -> None:
    assert at_once(
        sagemaker,
        {"instances": [[1, 2]]},
        {"instances": ["1,x"], "parameters": {"content_type": "text/csv"}},
        {"instances": [5]},
        {"instances": ["1,2"], "parameters": {"content_type": "text/csv", "accept": "text/csv"}},
    ) == [
        (200, {"predictions": [[2, 4]]}),
        (400, {"error": "instance 0: could not convert string to float: 'x'"}),
        (500, {"error": "instance 0: the prediction failed"}),
        (200, {"predictions": ["2.0,4.0"]}),
    ]


def test_bodies_of_sagemaker_s_own_clients(tmp_path: Path) -> None:
    with serving(SAGEMAKER, tmp_path, f"{CONFIG}envelope: none\n") as client:
        json_answer = client.post("/predictions/model", json=[1, 2])
        csv_answer = client.post(
            "/predictions/model", content=b"1,2", headers={"content-type": "text/csv", "accept": "text/csv"}
        )
        bad = client.post("/predictions/model", content=b"1,x", headers={"content-type": "text/csv"})
    assert (json_answer.status_code, json_answer.json()) == (200, [2, 4])
    assert json_answer.headers["content-type"] == "application/json"
    assert (csv_answer.status_code, csv_answer.text) == (200, "2.0,4.0")
    assert csv_answer.headers["content-type"] == "text/csv"
    assert (bad.status_code, bad.json()) == (400, {"error": "could not convert string to float: 'x'"})


def test_bodies_of_an_inference_endpoint_s_own_clients(tmp_path: Path) -> None:
    source = ENDPOINT_HANDLER.replace("return list(inputs.size)", "return inputs.rotate(90)")
    case = ENDPOINT._replace(files={"handler.py": source})
    with serving(case, tmp_path, f"{CONFIG}envelope: none\n") as client:
        plain = client.post("/predictions/model", json={"inputs": "a", "parameters": {"top_k": 1}})
        headers = {"content-type": "image/png", "accept": "image/png"}
        picture = client.post("/predictions/model", content=PNG, headers=headers)
        bad = client.post("/predictions/model", json={"inputs": "bad"})
    assert (plain.status_code, plain.json()) == (200, ["a", {"top_k": 1}])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n")
    assert (bad.status_code, bad.json()) == (400, {"error": "bad is refused"})
