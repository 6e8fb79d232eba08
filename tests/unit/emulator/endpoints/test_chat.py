"""A chat on its way to a container and back."""

import json

import pytest

from vertex_torchserve.emulator.endpoints.chat import as_completion, as_prediction
from vertex_torchserve.emulator.rest.request import Answer, Request
from vertex_torchserve.emulator.rest.rpc_status import RpcError


def asked(body: bytes) -> Request:
    headers = {"accept-encoding": "gzip", "content-type": "application/json; charset=utf-8"}
    return Request("projects/1/locations/l", ("7",), {}, {}, raw_body=body, headers=headers)


def test_the_container_gets_the_chat_as_an_instance_that_says_its_form() -> None:
    request = as_prediction(asked(b'{"messages": [], "stream": true}'))
    assert json.loads(request.raw_body) == {
        "instances": [{"@requestFormat": "chatCompletions", "messages": [], "stream": True}]
    }
    assert request.headers == {"content-type": "application/json"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RpcError, match="an object is accepted"):
        as_prediction(asked(body))


@pytest.mark.parametrize("predictions", ['{"id": "c"}', '[{"id": "c"}]'])
def test_the_client_gets_the_completion(predictions: str) -> None:
    pieces = iter([b'{"predictions": ', predictions.encode(), b"}"])
    answer = as_completion(Answer(200, pieces, {"Content-Type": "application/json"}))
    assert answer.body == b'{"id": "c"}'


@pytest.mark.parametrize(("status", "body"), [(400, b'{"error": "messages"}'), (200, b"[]"), (200, b"x")])
def test_any_other_answer_comes_as_it_is(status: int, body: bytes) -> None:
    assert as_completion(Answer(status, iter([body]), {})) == Answer(status, body, {})


def test_events_come_as_they_are() -> None:
    events = iter([b"data: {}\n\n", b"data: [DONE]\n\n"])
    answer = Answer(200, events, {"content-type": "text/event-stream"})
    assert as_completion(answer) is answer
