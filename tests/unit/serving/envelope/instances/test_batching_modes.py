"""TorchServe's other ways to make batches, through the envelope."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import ASYNC_HANDLER, COUNTING_HANDLER
from tests.unit.serving.envelope.torchserve_worker import decode, import_torchserve, load_service, send

import_torchserve()


def request(name: str, body: Any) -> dict[str, Any]:
    value = bytearray(json.dumps(body).encode())
    parameters = [{"name": "body", "contentType": "application/json", "value": value}] if body else []
    return {"requestId": name.encode(), "headers": [], "parameters": parameters}


def test_an_async_handler_is_awaited_and_isolated(tmp_path: Path) -> None:
    from ts.async_service import AsyncService

    service = load_service(tmp_path, ASYNC_HANDLER)
    service.context.model_yaml_config = {"asyncCommunication": True}
    AsyncService(service)  # puts its own `predict` in place
    batch = [
        request("a", {"instances": ["a", "b"], "parameters": {"mark": "!"}}),
        request("bad", {"instances": ["bad"]}),
        request("none", {"instances": "a"}),
    ]

    async def both() -> list[bytearray]:
        return list(await asyncio.gather(service.predict(batch), service.predict(batch[:1])))

    first, second = asyncio.run(both())
    code, answers = decode(bytes(first))
    assert code == 200
    assert {name: (answer.status, answer.body) for name, answer in answers.items()} == {
        "a": (200, {"predictions": ["A!", "B!"]}),
        "bad": (500, {"error": "the prediction failed (request bad)"}),
        "none": (400, {"error": '"instances" must be a list, got a string'}),
    }
    assert decode(bytes(second))[1]["a"].body == {"predictions": ["A!", "B!"]}


def test_an_async_handler_that_waits_for_nothing_needs_no_loop(tmp_path: Path) -> None:
    service = load_service(tmp_path, ASYNC_HANDLER.replace("await asyncio.sleep(0.01)", "pass"))
    assert send(service, {"instances": ["a"]})[0].body == {"predictions": ["A"]}


def test_one_that_waits_fails_where_nobody_awaits_it(tmp_path: Path) -> None:
    (answer,) = send(load_service(tmp_path, ASYNC_HANDLER), {"instances": ["a"]})
    assert (answer.status, answer.body) == (500, {"error": "the prediction failed (request id-0)"})


def steps(service: Any, *bodies: dict[str, Any]) -> dict[str, str]:
    """Go on until every request is answered, as TorchServe does; returns the whole text of each answer."""
    batch = [request(f"id-{number}", body) for number, body in enumerate(bodies)]
    texts: dict[str, str] = {}
    for _ in range(10):
        code, answers = decode(bytes(service.predict(batch)), parse=str)
        assert code == 200
        for name, answer in answers.items():
            texts[name] = texts.get(name, "") + answer.body
        open_names = [
            name for name, answer in answers.items() if answer.headers.get("ts_stream_next") == "true"
        ]
        # After the first time without a body.
        batch = [request(name, None) for name in open_names]
        if not batch:
            return texts
    raise AssertionError("an answer never ends")


@pytest.fixture
def counting(tmp_path: Path) -> Any:
    service = load_service(tmp_path, COUNTING_HANDLER)
    service.context.model_yaml_config = {"continuousBatching": True}
    return service


def test_the_parts_of_an_answer_are_one_json_text(counting: Any) -> None:
    texts = steps(counting, {"instances": ["abc"]}, {"instances": ["x"]}, {"instances": ["yz"]})
    assert {name: json.loads(text) for name, text in texts.items()} == {
        "id-0": {"predictions": [["abc1", "abc2", "abc3"]]},
        "id-1": {"predictions": [["x1"]]},
        "id-2": {"predictions": [["yz1", "yz2"]]},
    }
    # The handler's own cache still counts for this id.
    assert steps(counting, {"instances": ["q"]})["id-0"] == '{"predictions": [["q4"]]}'


def test_bad_requests_beside_an_answer_in_parts(counting: Any) -> None:
    texts = steps(counting, {"instances": ["ab"]}, {"instances": ["a", "b"]}, {"instances": 1})
    assert json.loads(texts["id-0"]) == {"predictions": [["ab1", "ab2"]]}
    assert json.loads(texts["id-1"]) == {"error": "this model answers one instance a request, got 2"}
    assert json.loads(texts["id-2"]) == {"error": '"instances" must be a list, got a number'}


def test_a_failure_after_the_first_part_ends_the_text(counting: Any) -> None:
    texts = steps(counting, {"instances": ["fails late"]})
    assert json.loads(texts["id-0"]) == {
        "predictions": [["fails late1"]],
        "error": "the prediction failed (request id-0)",
    }
