"""What a client may send, with an envelope and without, and what it gets for what it may not."""

import re
from typing import Any

import pytest

from tests.integration.handlers.handler_models import TEXTS, assert_same_labels


def test_the_envelope_gets_each_request_its_own_predictions(send: Any, bare: Any) -> None:
    result = send({"instances": TEXTS[:1]}, {"instances": TEXTS[1:]})
    alone = [bare(text).answers[0] for text in TEXTS]
    assert [len(answer["predictions"]) for answer in result.answers] == [1, 3]
    together = [answer for body in result.answers for answer in body["predictions"]]
    for answer, other in zip(together, alone, strict=True):
        assert_same_labels(answer, other)
    assert result.content_types == ["application/json"] * 2


TEXT_OR_TEXTS = "text must be a string, or a list of length at least 1"
BAD = (
    (17, rf"instance 1: {TEXT_OR_TEXTS}, got int"),
    (None, rf"instance 1: {TEXT_OR_TEXTS}, got null"),
    ([["secret"]], r"instance 1: text\[0\] must be a string, got list"),
    ({"inputs": [["secret"]]}, r"instance 1: text\[0\] must be a string, got list"),
    ({"text": 3.5}, rf"instance 1: {TEXT_OR_TEXTS}, got float"),
    ({"text_pair": "secret"}, r"instance 1: an object must have inputs, or text \(text_pair optional\)"),
    ({"text": "secret", "sekret": 1}, r"instance 1: an object must .*; got the unknown 'sekret'"),
    ({"text": "secret", "parameters": []}, r"instance 1: parameters must be an object, got list"),
    (
        {"text": "secret", "parameters": {"topk": 1}},
        r"instance 1: unknown parameters: topk; accepted: top_k",
    ),
    ({"text": "secret", "parameters": {"top_k": 0}}, r"instance 1: top_k must be .* at least 1.*, got 0"),
    (
        {"text": "secret", "parameters": {"top_k": 1.5}},
        r"instance 1: top_k must be .* at least 1.*, got 1.5",
    ),
    ({"text": "secret", "parameters": {"top_k": float("inf")}}, r"instance 1: top_k must be .*, got inf"),
    ({"text": "secret", "parameters": {"top_k": True}}, r"instance 1: top_k must be .*, got bool"),
    ({"text": "secret", "parameters": {"top_k": "2"}}, r"instance 1: top_k must be .*, got str"),
    ("secret \ud800", r"instance 1: text is not valid Unicode"),
    ({"b64": "dGhl"}, rf"instance 1: {TEXT_OR_TEXTS}, got a file"),
    (
        {"text": {"b64": "dGhl"}},
        rf"instance 1: {TEXT_OR_TEXTS}, got a file",
    ),
    (
        {"inputs": {"b64": "dGhl"}},
        rf"instance 1: {TEXT_OR_TEXTS}, got a file",
    ),
    (
        {"data": {"b64": "dGhl"}},
        rf"instance 1: {TEXT_OR_TEXTS}, got dict",
    ),
)


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_a_bad_instance_is_the_client_s_mistake(
    send: Any, bare: Any, bad: Any, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    from ts.utils.util import PredictionException

    with pytest.raises(PredictionException, match=message) as raised:
        send({"instances": ["good movie", bad]})
    assert raised.value.error_code == 400
    assert "secret" not in str(raised.value) + caplog.text

    result = bare({"instances": [TEXTS[0]]}, {"instances": ["good movie", bad]}, TEXTS[1])
    assert result.statuses == [200, 400, 200]
    assert re.match(message, result.answers[1]["error"]["message"])
    assert result.answers[1]["error"]["code"] == 400
    assert "secret" not in str(result.answers[1])
    assert_same_labels(result.answers[0]["predictions"][0], bare(TEXTS[0]).answers[0])
    assert_same_labels(result.answers[2], bare(TEXTS[1]).answers[0])
    assert result.content_types == ["application/json"] * 3


def test_without_an_envelope_every_kind_of_request(bare: Any) -> None:
    best = bare("good movie").answers[0]
    assert set(best) == {"label", "score"}
    bodies = ["good movie", {"text": "good movie"}, {"inputs": "good movie"}, bytearray(b'"good movie"')]
    for answer in bare(*bodies).answers:
        assert_same_labels(answer, best)
    assert_same_labels(bare(bytearray(b"good movie"), content_type="text/plain").answers[0], best)
    two = ["good movie", "good movie"]
    listed, vertex = bare({"inputs": two}, {"instances": two}).answers
    assert_same_labels(listed, [best, best])
    assert_same_labels(vertex["predictions"], [best, best])


def test_parameters_of_the_call_and_of_the_instance(bare: Any) -> None:
    own = {"text": "good movie", "parameters": {"top_k": 1.0}}
    call = {"instances": ["good movie", own], "parameters": {"top_k": 2}}
    assert [len(answer) for answer in bare(call).answers[0]["predictions"]] == [2, 1]
    assert len(bare({"inputs": "good movie", "parameters": {"top_k": 3}}).answers[0]) == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"instances": "secret"}, "instances must be a list that is not empty, got str"),
        ({"instances": []}, "instances must be a list that is not empty, got list"),
        ({"inputs": []}, "inputs must be a list that is not empty, got list"),
        (
            {"instances": ["secret"], "params": {}},
            "beside instances only parameters, an object, is accepted",
        ),
        ({"inputs": "secret", "parameters": 3}, "beside inputs only parameters, an object, is accepted"),
        ([["secret"]], "instance 0: text[0] must be a string, got list"),
        (bytearray(b'{"instances": ["secret"'), "the body is not valid JSON"),
    ],
)
def test_a_bad_request_fails_alone(bare: Any, body: Any, message: str) -> None:
    result = bare(body, "good movie")
    assert result.statuses == [400, 200]
    assert result.answers[0] == {"error": {"code": 400, "message": message}}
    assert set(result.answers[1]) == {"label", "score"}
