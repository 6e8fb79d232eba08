"""Real archives in the image: no user of its own, nothing writable but /tmp, the archive read-only."""

import math
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from testbed import adapted_handler
from testbed.deadlines import READY_SECONDS
from testbed.foreign_handlers import ENDPOINT_CASES, SAGEMAKER_CASES, Case
from testbed.openai_client import client_of
from testbed.packaged_models import package
from testbed.tiny_models import samples
from tests.integration.images.model_stores import minilm_store, state_dict_store, torchscript_store
from tests.integration.images.serving_container import (
    STRICT,
    pings_until_ready,
    predict,
    serve,
    wait_healthy,
    watched,
)
from vertex_torchserve.docker import Container, DockerError
from vertex_torchserve.errors import ServingError
from vertex_torchserve.smoke_test.container_server import ContainerServer


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def test_minilm_with_the_reference_handler(image: str, store: Path) -> None:
    with serve(image, minilm_store(store), variables={}) as server:  # as many workers as the image chooses
        assert pings_until_ready(server) == [503, 200]
        answer = predict(server, ["A man eats food.", "A man is eating.", "The girl carries a baby."])
        with client_of(f"{server.base_url}/predictions/model") as client:  # asks for base64 by itself
            embedded = client.embeddings.create(model="minilm", input=["A man eats food."]).data
        wait_healthy(server)
        started = time.monotonic()
        code = server.container.stop(15)
        stopped_after = time.monotonic() - started
    assert answer.status == 200
    assert embedded[0].embedding == pytest.approx(answer.body["predictions"][0], abs=1e-5)
    eats, eating, girl = answer.body["predictions"]
    assert len(eats) == 384
    assert math.hypot(*eats) == pytest.approx(1.0, abs=1e-4)
    # sentence-transformers' own example sentences: the two about eating belong together.
    assert cosine(eats, eating) > 0.7
    assert cosine(eats, girl) < 0.3
    assert code in (0, 143)
    assert stopped_after < 15


def cosine(one: list[float], other: list[float]) -> float:
    """Of vectors of length 1."""
    return sum(left * right for left, right in zip(one, other, strict=True))


def test_a_chat_and_a_completion_of_openai_s_client(image: str, tmp_path: Path) -> None:
    store = package("text-generation", tmp_path).parent
    store.chmod(0o755)
    messages: list[Any] = [{"role": "user", "content": "Tell me a story about a dragon."}]
    asked: dict[str, Any] = {"model": "m", "max_tokens": 12, "temperature": 0}
    at_least: dict[str, Any] = {"min_tokens": 12}
    with serve(image, store) as server, client_of(f"{server.base_url}/predictions/model") as client:
        pings_until_ready(server)
        chat = client.chat.completions.create(messages=messages, **asked, extra_body=at_least)
        streamed = {**asked, "stream": True, "stream_options": {"include_usage": True}, "logprobs": True}
        chunks = list(client.chat.completions.create(messages=messages, **streamed, extra_body=at_least))
        completion = client.completions.create(prompt="The train", **asked)
        parts = list(client.completions.create(prompt="The train", stream=True, **asked))
        with pytest.raises(openai.BadRequestError, match=r"messages\[0\].role is out of order"):
            client.chat.completions.create(
                messages=[{"role": "tool", "content": "a", "tool_call_id": "1"}], **asked
            )
    text = chat.choices[0].message.content
    assert text
    *written, counted = chunks
    assert "".join(chunk.choices[0].delta.content or "" for chunk in written) == text
    logged = [chunk.choices[0].logprobs for chunk in written if chunk.choices[0].logprobs]
    assert len(logged) > 3
    assert counted.usage == chat.usage
    assert completion.choices[0].text
    assert "".join(part.choices[0].text for part in parts) == completion.choices[0].text


@pytest.mark.parametrize(
    "name",
    [pytest.param("translation-marian", marks=pytest.mark.heavy), "text2text-generation-pieces"],
)
def test_a_tokenizer_that_takes_sentencepiece(name: str, image: str, tmp_path: Path) -> None:
    store = package(name, tmp_path).parent
    store.chmod(0o755)
    with serve(image, store) as server:
        pings_until_ready(server)
        answer = predict(server, samples(name))
    assert answer.status == 200, answer.body
    kind = "translation_text" if name == "translation-marian" else "generated_text"
    texts = [text for [text] in answer.body["predictions"]]
    assert [text.keys() for text in texts] == [{kind}] * 3


@pytest.mark.parametrize(
    "case",
    [ENDPOINT_CASES[2], pytest.param(SAGEMAKER_CASES[2], marks=pytest.mark.heavy)],
    ids=lambda case: case.handler,
)
def test_a_handler_of_another_server(image: str, case: Case, tmp_path: Path) -> None:
    with serve(image, adapted_handler.package(case, tmp_path).mar_path.parent) as server:
        assert pings_until_ready(server) == [503, 200]
        answer = predict(server, case.request["instances"])
    assert (answer.status, answer.body) == (case.status, case.answer)


def test_torchscript_with_a_stock_handler_by_the_kept_up_netty(image: str, store: Path, work: Path) -> None:
    with serve(image, torchscript_store(store, work)) as server:
        assert pings_until_ready(server) == [503, 200]
        answer = predict(server, [[1.0, 2.0, 3.0], [0.5, 0.5, -4.0]])
        threads = server.container.execute("sh", "-c", "cat /proc/[0-9]*/task/[0-9]*/comm 2> /dev/null; true")
        log = server.container.logs()
        assert server.container.stop(15) in (0, 143)
    assert answer.status == 200
    assert answer.body == {"predictions": [6.0, -3.0]}
    # Its native transport; a thread's name has 15 characters in Linux.
    assert "epollEventLoopGroup"[:15] in threads.split()
    assert "netty-codec-http-4.2.13.Final" in log
    assert "TorchServe's own jar" not in log


def test_a_state_dict_with_its_own_model_file_on_another_port(image: str, store: Path, work: Path) -> None:
    with serve(image, state_dict_store(store, work), port=8085) as server:
        assert pings_until_ready(server) == [503, 200]
        answer = predict(server, [[1.0, 2.0], [0.0, 0.0]])
        wait_healthy(server)  # the health check asks the port that Vertex AI names
        assert server.container.stop(15) in (0, 143)
    assert answer.status == 200
    assert answer.body == {"predictions": [[9.0], [1.0]]}


def test_without_an_archive_the_container_ends(image: str, store: Path) -> None:
    store.chmod(0o755)
    container = Container.run(
        image, read_only_mounts={store: "/mnt/models"}, published_ports=[8080], options=STRICT
    )
    with watched(ContainerServer(container)) as server:
        with pytest.raises(ServingError, match=r"(?s)ended with code 2 .*/mnt/models must hold one \.mar"):
            server.wait_ready(READY_SECONDS)
        with pytest.raises(DockerError):
            _ = server.base_url
