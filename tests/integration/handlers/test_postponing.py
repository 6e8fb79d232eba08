"""Requests that take long: handed back to a server that asks for it, told of, or begun."""

from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import make

LONG, SHORT = 200, 4
TEXT = "Once upon a time"
CHAT = {"model": "any", "messages": [{"role": "user", "content": TEXT}], "max_tokens": LONG, "temperature": 0}


@pytest.fixture(scope="module", params=["instances", None], ids=["envelope", "no-envelope"])
def send(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from vertex_torchserve.serving.envelope.model_service_worker import register_envelope

    register_envelope()
    folder = make("text-generation", tmp_path_factory.mktemp("text-generation") / "model")
    write_manifest(folder)
    return load(folder, envelope=request.param)


def body(tokens: int, count: int = 1, **parameters: Any) -> dict[str, Any]:
    return {
        "instances": [TEXT] * count,
        "parameters": {"do_sample": False, "max_new_tokens": tokens, "min_new_tokens": tokens, **parameters},
    }


@pytest.mark.parametrize(
    ("asked", "request_body", "said"),
    [
        ("hand-back", body(LONG), "handed-back"),
        ("hand-back", body(SHORT, 40), "handed-back"),  # 160 tokens together
        ("hand-back", body(SHORT), None),
        ("tell", body(LONG), "told"),
        ("tell", body(SHORT), None),
        ("begin", body(LONG), None),
        (None, body(LONG), None),
        ("anything", body(LONG), None),
    ],
)
def test_what_is_done_is_what_the_server_asks_for(
    send: Any, asked: str | None, request_body: dict[str, Any], said: str | None
) -> None:
    answered = send(request_body, headers={0: {} if asked is None else {"x-vts-costly": asked}})
    assert answered.statuses == [200]
    assert answered.headers("x-vts-costly") == [said]
    predictions = answered.answers[0]["predictions"]
    assert len(predictions) == len(request_body["instances"])
    assert all((each is None) == (said == "handed-back") for each in predictions)


def test_others_of_the_batch_are_answered(send: Any) -> None:
    asked = {index: {"x-vts-costly": "hand-back"} for index in range(3)}
    answered = send(body(SHORT), body(LONG), body(SHORT), headers=asked)
    assert answered.statuses == [200, 200, 200]
    assert answered.headers("x-vts-costly") == [None, "handed-back", None]
    alone = send(body(SHORT)).answers[0]
    assert [answered.answers[0], answered.answers[2]] == [alone, alone]


def test_a_mistake_is_answered_at_once(send: Any) -> None:
    wrong = body(LONG, 2)
    wrong["instances"][1] = {"text": 1}
    answered = send(wrong, headers={0: {"x-vts-costly": "hand-back"}})
    assert answered.statuses == [400]
    assert answered.headers("x-vts-costly") == [None]


def test_a_chat_is_handed_back_too(send: Any) -> None:
    answered = send(CHAT, headers={0: {"x-vts-costly": "hand-back"}})
    assert answered.headers("x-vts-costly") == ["handed-back"]
    assert send(CHAT, headers={0: {"x-vts-costly": "begin"}}).answers[0]["choices"]
