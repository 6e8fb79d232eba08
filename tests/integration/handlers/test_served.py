"""Packaged folders in a real TorchServe, over HTTP: texts, a stream, an image and a sound."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.packaged_models import package, parameters, served
from testbed.tiny_models import samples
from tests.integration.handlers.handler_models import assert_same
from vertex_torchserve.serving.local_server import ServingProcess

TIMEOUT_SECONDS = 10
MODELS = ("sentence-embeddings", "text-generation", "image-classification", "audio-classification")


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where each model is predicted; the servers start together."""
    with ExitStack() as stack:
        servers = {}
        for name in MODELS:
            mar = package(name, tmp_path_factory.mktemp(name))
            environment = {"AIP_STORAGE_URI": str(mar.parent), "VTS_WORKERS": "1", "OMP_NUM_THREADS": "1"}
            servers[name] = stack.enter_context(ServingProcess(environment))
        for server in servers.values():
            server.wait_ready(READY_SECONDS)
        yield {name: f"{server.base_url}/predictions/model" for name, server in servers.items()}


@pytest.mark.parametrize("name", MODELS)
def test_answers_as_in_one_process(name: str, urls: dict[str, str]) -> None:
    body = {"instances": samples(name), "parameters": parameters(name)}
    answer = httpx.post(urls[name], json=body, timeout=ANSWER_SECONDS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    predictions = answer.json()["predictions"]
    assert len(predictions) == len(samples(name)) > 0
    status, expected = served(name).answer(body)
    assert status == 200
    assert_same(predictions, expected["predictions"])


def test_a_mistake_is_a_400_of_its_own(urls: dict[str, str]) -> None:
    answer = httpx.post(
        urls["sentence-embeddings"], json={"instances": [{"txt": "hello"}]}, timeout=ANSWER_SECONDS
    )
    assert answer.status_code == 400
    assert "got the unknown 'txt'" in answer.json()["error"]


def test_a_text_arrives_while_it_is_written(urls: dict[str, str]) -> None:
    options = {"stream": True, "do_sample": False, "max_new_tokens": 200, "return_full_text": False}
    body = {"instances": ["Once upon a time there was a king"], "parameters": options}
    with httpx.stream("POST", urls["text-generation"], json=body, timeout=ANSWER_SECONDS) as answer:
        assert answer.status_code == 200
        # Decided when the first part is sent; a whole answer is application/json.
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert "x-vts-costly" not in answer.headers  # the worker's word to the server
        lines = [json.loads(line) for line in answer.iter_lines()]
    *parts, last = lines
    assert len(parts) > 5
    assert all(set(part) == {"text"} for part in parts)
    assert "".join(part["text"] for part in parts) == last["predictions"][0][0]["generated_text"]
    in_one = {**body, "parameters": {**options, "stream": False}}
    whole = httpx.post(urls["text-generation"], json=in_one, timeout=ANSWER_SECONDS)
    assert whole.json() == last
    assert "x-vts-costly" not in whole.headers


def test_a_request_that_nobody_waits_for_leaves_its_worker(tmp_path: Path) -> None:
    """The computation ends too: the only worker answers the next request, not minutes later."""
    mar = package("text2text-generation", tmp_path)
    environment = {
        "AIP_STORAGE_URI": str(mar.parent), "VTS_WORKERS": "1", "OMP_NUM_THREADS": "1",
        "VTS_REQUEST_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
    }  # fmt: skip
    endless = {"max_new_tokens": 200_000, "min_new_tokens": 200_000, "num_beams": 1}
    with ServingProcess(environment) as server:
        server.wait_ready(READY_SECONDS)
        url = f"{server.base_url}/predictions/model"
        late = {"x-vts-answer-by": str(10**15)}  # what a client says of it doesn't count
        body = {"instances": ["The train"], "parameters": endless}
        answer = httpx.post(url, json=body, headers=late, timeout=ANSWER_SECONDS)
        assert answer.status_code == 504
        brief = {"instances": ["The train"], "parameters": {"max_new_tokens": 4}}
        assert httpx.post(url, json=brief, timeout=ANSWER_SECONDS).status_code == 200
        with pytest.raises(httpx.ReadTimeout):  # this client goes
            httpx.post(url, json=body, timeout=1)
        started = time.monotonic()
        assert httpx.post(url, json=brief, timeout=ANSWER_SECONDS).status_code == 200
        assert time.monotonic() - started < TIMEOUT_SECONDS - 2


def test_short_texts_are_written_while_eight_clients_wait_for_long_ones(tmp_path: Path) -> None:
    """A long one is as small as a short one until it is read; they keep one of two workers at most."""
    mar = package("text2text-generation", tmp_path)
    environment = {"AIP_STORAGE_URI": str(mar.parent), "VTS_WORKERS": "2", "OMP_NUM_THREADS": "1"}
    endless = {"max_new_tokens": 200_000, "min_new_tokens": 200_000, "num_beams": 1}
    brief = {"max_new_tokens": 4}
    with ServingProcess(environment) as server, ThreadPoolExecutor(8) as pool:
        server.wait_ready(READY_SECONDS)
        url = f"{server.base_url}/predictions/model"

        def ask(parameters: dict[str, int], seconds: float = ANSWER_SECONDS) -> int:
            body = {"instances": ["The train"], "parameters": parameters}
            return httpx.post(url, json=body, timeout=seconds).status_code

        assert ask(brief) == 200
        long_ones = [pool.submit(ask, endless, TIMEOUT_SECONDS) for _ in range(8)]
        for _ in range(5):
            time.sleep(0.2)
            assert ask(brief) == 200
            assert not any(each.done() for each in long_ones)
        for each in long_ones:  # their clients go, and with them the work
            assert isinstance(each.exception(), httpx.ReadTimeout)
        assert "answered 503" not in server.log_tail()
