"""How the envelope answers when the handler fails, and what it makes of predictions."""

import logging
import math
from pathlib import Path
from typing import Any

import pytest

from tests.unit.serving.envelope.torchserve_worker import import_torchserve, load_service, send

TROUBLED = """\
from ts.utils.util import PredictionException

class Handler:
    def initialize(self, context):
        self.calls = []

    def handle(self, data, context):
        self.calls.append(list(data))
        return [self.predict(item, context) for item in data]

    def predict(self, item, context):
        if item == "secret poison":
            raise ValueError("can't use " + item)
        if item == "wrapped secret":
            try:
                return {}[item]
            except KeyError as error:
                raise LookupError(item) from error
        if item == "refused":
            raise PredictionException("the text is too long", 413)
        if item == "odd code":
            raise PredictionException("no such status", 200)
        if item == "memory":
            raise MemoryError
        if item == "cuda":
            raise RuntimeError("CUDA out of memory")
        return item.upper()
"""


@pytest.fixture(scope="module", autouse=True)
def torchserve() -> None:
    import_torchserve()


def one(*instances: Any) -> dict[str, Any]:
    return {"instances": list(instances)}


def service_for(folder: Path, expression: str) -> Any:
    """A handler that answers with `expression` of its instances, `data`."""
    source = f"import math, numpy, torch\n\ndef handle(data, context):\n    return data and ({expression})\n"
    return load_service(folder, source)


@pytest.mark.parametrize(
    ("instance", "status", "message"),
    [
        ("secret poison", 500, "the prediction failed (request id-1)"),
        ("wrapped secret", 500, "the prediction failed (request id-1)"),
        ("refused", 413, "the text is too long"),
        ("odd code", 500, "no such status (request id-1)"),
        ("memory", 507, "out of memory (request id-1)"),
        ("cuda", 507, "out of memory (request id-1)"),
    ],
)
def test_only_the_culprit_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, instance: str, status: int, message: str
) -> None:
    service = load_service(tmp_path, TROUBLED)
    with caplog.at_level(logging.INFO):
        before, culprit, after = send(service, one("a", "b"), one("c", instance), one("d"))
    assert (culprit.status, culprit.body) == (status, {"error": message})
    assert culprit.headers["content-type"] == "application/json"
    assert (before.status, before.body) == (200, {"predictions": ["A", "B"]})
    assert (after.status, after.body) == (200, {"predictions": ["D"]})
    (line,) = [record.getMessage() for record in caplog.records if "request id-" in record.getMessage()]
    assert line.startswith(f"request id-1 answered {status}: ")
    assert "Handler.predict" in line
    assert instance not in caplog.text


def test_a_batch_that_works_runs_once_and_one_that_fails_runs_again_one_by_one(tmp_path: Path) -> None:
    service = load_service(tmp_path, TROUBLED)
    calls = service._entry_point.__self__._handle_fn.__self__.calls
    send(service, one("a"), one("b"))
    assert calls == [["a", "b"]]
    calls.clear()
    send(service, one("a"), one("refused", "x"), one("b"))
    assert calls == [["a", "refused", "x", "b"], ["a"], ["refused", "x"], ["b"]]


def test_the_trace_names_causes_and_messages_only_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = load_service(tmp_path, TROUBLED)
    send(service, one("wrapped secret"))
    assert "LookupError at " in caplog.text
    assert " <- KeyError at " in caplog.text
    assert "secret" not in caplog.text
    monkeypatch.setenv("VTS_LOG_EXCEPTION_MESSAGES", "1")
    send(service, one("wrapped secret"))
    assert "LookupError('wrapped secret') at " in caplog.text


def test_a_malformed_request_is_logged_without_its_content(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    send(load_service(tmp_path, TROUBLED), b'{"instances": [{"secret": 1, "secret": 2}]}')
    assert "request id-0 answered 400: it is malformed" in caplog.text
    assert "secret" not in caplog.text


def test_the_second_run_gets_instances_and_status_as_they_came(tmp_path: Path) -> None:
    service = load_service(
        tmp_path,
        "def handle(data, context):\n"
        "    if data is None:\n        return None\n"
        "    seen = [item.pop('x') for item in data]\n"
        "    if 0 in seen:\n"
        "        context.set_response_status(418, 'teapot', 0)\n        raise ValueError\n"
        "    return seen\n",
    )
    good, bad = send(service, one({"x": 1}), one({"x": 0}))
    assert (good.status, good.body) == (200, {"predictions": [1]})
    assert bad.status == 500


def test_a_status_the_handler_sets_goes_to_its_own_request(tmp_path: Path) -> None:
    service = load_service(
        tmp_path,
        "def handle(data, context):\n"
        "    for index, item in enumerate(data or []):\n"
        "        context.set_response_header(index, 'x-item', item)\n"
        "        context.set_response_header(index, 'x-request', context.get_request_id(index))\n"
        "    return data\n",
    )
    malformed, first, second = send(service, b"?", one("a"), one("b"))
    assert "x-item" not in malformed.headers
    assert (first.headers["x-item"], first.headers["x-request"]) == ("a", "id-1")
    assert (second.headers["x-item"], second.headers["x-request"]) == ("b", "id-2")
    assert service.context.request_ids == {0: "id-0", 1: "id-1", 2: "id-2"}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("data[:-1]", "the handler returned 1 predictions for 2 instances"),
        ("data + data", "the handler returned 4 predictions for 2 instances"),
        ("None", "the handler returned NoneType instead of a list of predictions"),
        ("{'predictions': data}", "the handler returned dict instead of a list of predictions"),
        ("'ab'", "the handler returned str instead of a list of predictions"),
        ("torch.tensor(1.0)", "the handler returned Tensor instead of a list of predictions"),
        ("[1, {2}]", "prediction 1 can't be written as JSON: set is not a JSON type"),
        ("[{1}, 1]", "prediction 0 can't be written as JSON: set is not a JSON type"),
        ("[torch.ones(1).to_sparse(), 1]", "prediction 0 can't be written as JSON: RuntimeError"),
    ],
)
def test_unusable_predictions_fail_the_request(tmp_path: Path, expression: str, message: str) -> None:
    (answer,) = send(service_for(tmp_path, expression), one("a", "b"))
    assert (answer.status, answer.body) == (500, {"error": f"{message} (request id-0)"})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_have_fail_their_own_request(tmp_path: Path, value: float) -> None:
    service = service_for(tmp_path, f"[float('{value}') if item else numpy.float32(item) for item in data]")
    good, bad = send(service, one(0), one(0, 1))
    assert (good.status, good.body) == (200, {"predictions": [0.0]})
    assert bad.status == 500
    assert bad.body["error"].startswith("prediction 1 can't be written as JSON: Out of range float values")


def test_an_answer_longer_than_the_limit_fails_its_own_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTS_MAX_RESPONSE_BYTES", "29")
    fits, longer = send(service_for(tmp_path, "data"), one("12345678"), one("1234567é"))
    assert (fits.status, fits.body) == (200, {"predictions": ["12345678"]})
    assert (longer.status, longer.body) == (
        500,
        {
            "error": "the predictions are longer than 29 bytes, the most that an answer may have; "
            "ask for fewer or smaller ones at a time (request id-1)"
        },
    )


def test_a_wrong_number_of_predictions_never_shifts_the_others(tmp_path: Path) -> None:
    service = service_for(tmp_path, "[item for item in data if item != 'lost']")
    answers = send(service, one("a"), one("b", "lost"), one("c"))
    assert [answer.body for answer in answers] == [
        {"predictions": ["a"]},
        {"error": "the handler returned 1 predictions for 2 instances (request id-1)"},
        {"predictions": ["c"]},
    ]


@pytest.mark.parametrize(
    ("expression", "predictions"),
    [
        ("numpy.array([[1, 2], [3, 4]])", [[1, 2], [3, 4]]),
        ("torch.tensor([0.5, 1.5], requires_grad=True)", [0.5, 1.5]),
        ("torch.tensor([0.5, 1.5], dtype=torch.bfloat16)", [0.5, 1.5]),
        ("(numpy.int64(1), numpy.bool_(True))", [1, True]),
        ("[{'score': numpy.float32(0.5)}, [torch.tensor(2)]]", [{"score": 0.5}, [2]]),
        ("['\\ud800', 'ä']", ["\ud800", "ä"]),
    ],
)
def test_arrays_and_tensors_are_written_as_json(
    tmp_path: Path, expression: str, predictions: list[Any]
) -> None:
    (answer,) = send(service_for(tmp_path, expression), one("a", "b"))
    assert (answer.status, answer.body) == (200, {"predictions": predictions})


PARTIAL = """\
class Handler:
    def initialize(self, context):
        self.seen = []

    def handle(self, data, context):
        self.seen.append((list(data), list(context.instance_requests)))
        for index, item in enumerate(data):
            if item == "too long":
                context.instance_failures[index] = (422, "instance too long")
            if item == "broken":
                context.instance_failures[index] = (500, "it broke")
        failed = context.instance_failures
        return [None if index in failed else item.upper() for index, item in enumerate(data)]
"""


def test_a_handler_that_names_the_instances_it_can_t_answer_runs_once(tmp_path: Path) -> None:
    service = load_service(tmp_path, PARTIAL)
    bodies = [one("a", "b"), one("c", "too long"), one(), one("broken", "too long"), one("d")]
    answers = send(service, *bodies)
    assert [answer.status for answer in answers] == [200, 422, 200, 500, 200]
    assert [answer.body for answer in answers] == [
        {"predictions": ["A", "B"]},
        {"error": "instance too long"},
        {"predictions": []},
        {"error": "it broke (request id-3)"},
        {"predictions": ["D"]},
    ]
    seen = service._entry_point.__self__._handle_fn.__self__.seen
    assert seen == [(["a", "b", "c", "too long", "broken", "too long", "d"], [0, 0, 1, 1, 2, 2, 3])]
