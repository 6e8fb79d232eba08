"""OpenAI's client, and what LiteLLM sends to Vertex AI, against a running server."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import openai
import pytest

from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from testbed.openai_client import client_of
from testbed.packaged_models import package
from vertex_torchserve.serving.local_server import ServingProcess

MESSAGES: list[Any] = [{"role": "user", "content": "Tell me a story about a dragon."}]
# Tiny models end early: with so many tokens at least there is something to stream.
AT_LEAST = {"min_tokens": 12}


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        servers = {}
        for name in ("text-generation", "sentence-embeddings"):
            mar = package(name, tmp_path_factory.mktemp(name))
            environment = {"AIP_STORAGE_URI": str(mar.parent), "VTS_WORKERS": "1", "OMP_NUM_THREADS": "1"}
            servers[name] = stack.enter_context(ServingProcess(environment))
        for server in servers.values():
            server.wait_ready(READY_SECONDS)
        yield {name: f"{server.base_url}/predictions/model" for name, server in servers.items()}


@pytest.fixture
def client(urls: dict[str, str]) -> Iterator[openai.OpenAI]:
    with client_of(urls["text-generation"]) as client:
        yield client


def test_a_chat(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model="dragon", messages=MESSAGES, max_tokens=12, temperature=0, logprobs=True, top_logprobs=2,
        extra_body=AT_LEAST,
    )  # fmt: skip
    (choice,) = completion.choices
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.finish_reason == "length"
    assert choice.logprobs is not None and choice.logprobs.content is not None
    assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 12
    assert completion.model == "dragon"


def test_a_chat_while_it_is_written(client: openai.OpenAI, urls: dict[str, str]) -> None:
    asked: dict[str, Any] = {"model": "m", "messages": MESSAGES, "max_tokens": 12, "temperature": 0}
    whole = client.chat.completions.create(**asked, extra_body=AT_LEAST)
    with client.chat.completions.create(
        **asked, stream=True, stream_options={"include_usage": True}, extra_body=AT_LEAST
    ) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream"
        chunks = list(stream)
    *parts, counted = chunks
    assert parts[0].choices[0].delta.role == "assistant"
    texts = [chunk.choices[0].delta.content or "" for chunk in parts]
    assert len([text for text in texts if text]) > 3
    assert "".join(texts) == whole.choices[0].message.content
    assert parts[-1].choices[0].finish_reason == "length"
    assert counted.usage == whole.usage
    assert {chunk.id for chunk in chunks} == {counted.id}

    body = {**asked, **AT_LEAST, "stream": True}
    answer = httpx.post(urls["text-generation"], json=body, timeout=ANSWER_SECONDS)
    assert answer.text.endswith("data: [DONE]\n\n")


def test_choices_and_log_probabilities_while_they_are_written(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {
        "model": "m", "messages": MESSAGES, "max_tokens": 12, "temperature": 1.3, "seed": 3, "n": 2,
        "logprobs": True, "top_logprobs": 2, "stop": ["zq", "the king of"],
    }  # fmt: skip
    whole = client.chat.completions.create(**asked, extra_body=AT_LEAST)
    chunks = list(client.chat.completions.create(**asked, stream=True, extra_body=AT_LEAST))
    for index, choice in enumerate(whole.choices):
        own = [chunk.choices[0] for chunk in chunks if chunk.choices[0].index == index]
        assert own[0].delta.role == "assistant"
        assert "".join(part.delta.content or "" for part in own) == choice.message.content
        assert own[-1].finish_reason == choice.finish_reason
        told = [token for part in own if part.logprobs for token in part.logprobs.content or []]
        assert choice.logprobs is not None and choice.logprobs.content is not None
        assert [token.token for token in told] == [token.token for token in choice.logprobs.content]
        assert [token.logprob for token in told] == pytest.approx(
            [token.logprob for token in choice.logprobs.content], abs=1e-4
        )
        assert all(len(token.top_logprobs) == 2 for token in told)
        # A part tells of the tokens whose text it holds.
        assert len([part for part in own if part.logprobs]) > 3


def test_completions(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "m", "prompt": "The train", "max_tokens": 8, "temperature": 0}
    whole = client.completions.create(**asked)
    assert whole.choices[0].text
    with client.completions.create(**asked, stream=True) as stream:
        assert "".join(chunk.choices[0].text for chunk in stream) == whole.choices[0].text
    asked |= {"logprobs": 2, "echo": True}
    listed = client.completions.create(**asked).choices[0].logprobs
    chunks = [chunk.choices[0] for chunk in client.completions.create(**asked, stream=True)]
    assert chunks[0].text == "The train"
    told = [chunk.logprobs for chunk in chunks if chunk.logprobs]
    assert listed is not None
    assert len(told) > 3
    for name in ("tokens", "text_offset", "top_logprobs"):
        assert [entry for part in told for entry in getattr(part, name)] == getattr(listed, name)


def test_embeddings(urls: dict[str, str]) -> None:
    with client_of(urls["sentence-embeddings"]) as client:
        answer = client.embeddings.create(
            model="m", input=["The train", "A king"]
        )  # asks for base64 by itself
    own = httpx.post(
        urls["sentence-embeddings"], json={"instances": ["The train", "A king"]}, timeout=ANSWER_SECONDS
    ).json()["predictions"]
    for entry, vector in zip(answer.data, own, strict=True):
        assert entry.embedding == pytest.approx(vector, abs=1e-6)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"prompt": "a"}, "chatCompletions takes no prompt"),
        ({"messages": [{"role": "tool", "content": "a", "tool_call_id": "1"}]}, "messages[0].role is out of"),
        ({"stream": True, "top_logprobs": 2}, "top_logprobs takes logprobs: true"),
    ],
)
def test_a_mistake_is_a_bad_request_that_names_the_field(
    client: openai.OpenAI, more: dict[str, Any], told: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="m", messages=MESSAGES, max_tokens=3, extra_body=more)
    assert told in raised.value.message
    assert raised.value.type == "invalid_request_error"


def test_streams_take_one_instance(urls: dict[str, str]) -> None:
    one = {"@requestFormat": "chatCompletions", "messages": MESSAGES, "stream": True, "max_tokens": 3}
    answer = httpx.post(urls["text-generation"], json={"instances": [one, one]}, timeout=ANSWER_SECONDS)
    assert answer.status_code == 400
    assert "stream takes one instance a request" in answer.json()["error"]


def test_what_litellm_sends_for_vertex_ai_s_endpoints(urls: dict[str, str]) -> None:
    """Its models `vertex_ai/<endpoint>`, for endpoints like OpenAI's and for others."""
    as_openai = {"model": "", "messages": MESSAGES, "max_tokens": 4, "temperature": 0.0, "stream": False}
    answer = httpx.post(urls["text-generation"], json=as_openai, timeout=ANSWER_SECONDS)
    assert answer.json()["choices"][0]["message"]["role"] == "assistant"
    as_prompt = {"instances": [{"prompt": "The train", "max_tokens": 4, "temperature": 0.5}]}
    answer = httpx.post(urls["text-generation"], json=as_prompt, timeout=ANSWER_SECONDS)
    assert answer.status_code == 200
    vertex = {"instances": [{"@requestFormat": "chatCompletions", **as_openai}]}
    answer = httpx.post(urls["text-generation"], json=vertex, timeout=ANSWER_SECONDS)
    assert answer.json()["predictions"]["usage"]["completion_tokens"] <= 4
    streamed = {"instances": [{"@requestFormat": "chatCompletions", **as_openai, "stream": True}]}
    with httpx.stream("POST", urls["text-generation"], json=streamed, timeout=ANSWER_SECONDS) as stream:
        lines = [line for line in stream.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    assert json.loads(lines[0].removeprefix("data: "))["object"] == "chat.completion.chunk"
