"""The smoke test against a real TorchServe: what it says of right and of wrong archives."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import ECHO_HANDLER, HANDLED_BEFORE, RAISING_HANDLER, SHORT_HANDLER, write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving_plan import ContainerLimits, ContainerSpec, ServingPlan
from vertex_torchserve.smoke_test.report import SmokeTestReport
from vertex_torchserve.smoke_test.run import run_smoke_test


def smoke_test(mar_path: Path, instances: list[Any] | None = None, **options: Any) -> SmokeTestReport:
    requests = None if instances is None else [PredictionRequest(instances)]
    return run_smoke_test(ServingPlan.of(mar_path), requests, **options)


def test_an_archive_that_serves(tmp_path: Path) -> None:
    report = smoke_test(write_archive(tmp_path), ["a", "b"])
    assert [(check.name, check.ok) for check in report.checks] == [
        ("archive", True),
        ("image", True),
        ("ready", True),
        ("status", True),
        ("json", True),
        ("predictions", True),
        ("stopped", True),
    ]
    assert report.ok
    assert report.failure() == ""
    assert report.predictions == [{"echo": "a"}, {"echo": "b"}]
    assert report.ready_seconds is not None
    assert report.ready_seconds > 0


def test_a_library_that_this_python_has_and_the_image_lacks(tmp_path: Path) -> None:
    """It would be served here, and not there: nothing is started."""
    report = smoke_test(write_archive(tmp_path, f"import hypothesis\n{ECHO_HANDLER}"), ["a"])
    assert [(check.name, check.ok) for check in report.checks] == [("archive", True), ("image", False)]
    assert report.failure().startswith(
        "image: handler.py:1: imports hypothesis, which is not in the archive, the serving image"
    )
    assert "name it in the requirements" in report.failure()
    assert not report.ok


ENVIRONMENT_HANDLER = """\
import os

THRESHOLD = float(os.environ["THRESHOLD"])


def handle(data, context):
    if data is None:
        return None
    names = ("THRESHOLD", "FROM_THE_SHELL", "AIP_PREDICT_ROUTE", "AIP_MODE", "MODEL_NAME")
    return [{name: os.environ.get(name) for name in names} for _ in data]
"""


def test_it_is_served_with_the_models_variables_and_routes_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_THE_SHELL", "1")
    monkeypatch.setenv("MODEL_NAME", "another")
    mar_path = write_archive(tmp_path, ENVIRONMENT_HANDLER, modelName="bert")
    write_archive(tmp_path / "beside").rename(tmp_path / "other.mar")
    container = ContainerSpec(
        predict_route="/v1/ask", health_route="/v1/healthy", environment={"THRESHOLD": "0.5"}
    )
    report = run_smoke_test(ServingPlan.of(mar_path, container), [PredictionRequest(["a"])])
    assert report.failure() == ""
    assert report.predictions == [
        {
            "THRESHOLD": "0.5",
            "FROM_THE_SHELL": None,
            "AIP_PREDICT_ROUTE": "/v1/ask",
            "AIP_MODE": "PREDICTION",
            "MODEL_NAME": None,
        }
    ]


def test_a_variable_of_the_shell_is_none_of_the_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHOLD", "0.5")
    report = smoke_test(write_archive(tmp_path, ENVIRONMENT_HANDLER), ["a"])
    assert [check.name for check in report.checks if not check.ok] == ["ready"]
    assert "KeyError: 'THRESHOLD'" in report.failure()


def test_what_only_a_container_can_be_held_to(tmp_path: Path) -> None:
    plan = ServingPlan.of(write_archive(tmp_path), limits=ContainerLimits(memory="1g", read_only=True))
    with pytest.raises(InputError, match="--memory, --read-only: only a container can be held to that"):
        run_smoke_test(plan, [PredictionRequest(["a"])])


STREAMING_HANDLER = """\
from ts.handler_utils.utils import send_intermediate_predict_response


def handle(data, context):
    if data is None:
        return None
    for part in ("part 0 ", '{"predictions": "part 1" '):
        send_intermediate_predict_response([part] * len(data), context.request_ids, "", 200, context)
    return ["end"] * len(data)
"""


def test_a_handler_that_sends_parts_before_its_answer(tmp_path: Path) -> None:
    report = smoke_test(write_archive(tmp_path, STREAMING_HANDLER), ["a"])
    assert report.failure() == ""
    assert report.predictions == ["end"]


def test_too_few_predictions(tmp_path: Path) -> None:
    report = smoke_test(write_archive(tmp_path, SHORT_HANDLER), ["a", "b", "c"])
    assert not report.ok
    assert "the handler returned 2 predictions for 3 instances" in report.failure()
    assert report.predictions == []


def test_a_handler_that_raises_at_a_prediction(tmp_path: Path) -> None:
    report = smoke_test(write_archive(tmp_path, HANDLED_BEFORE + RAISING_HANDLER), ["a"])
    assert [check.name for check in report.checks if not check.ok] == ["status"]
    assert "200 is needed" in report.failure()
    assert "KeyError(\"'vocabulary'\")" in report.failure()
    assert "handler.py:9 handle" in report.failure()
    assert "not_there" not in report.failure()


def test_without_instances_the_golden_request_is_sent_and_its_predictions_compared(tmp_path: Path) -> None:
    golden = '{"instances": ["a", 2], "predictions": [{"echo": "a"}, {"echo": 2}]}'
    report = smoke_test(write_archive(tmp_path, files={"golden-request.json": golden}))
    assert report.failure() == ""
    assert report.predictions == [{"echo": "a"}, {"echo": 2}]
    assert "those that are expected, within 0.001" in report.checks[-2].detail


def test_neither_instances_nor_a_golden_request(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no instances are given, and .*model.mar holds no golden-request"):
        smoke_test(write_archive(tmp_path))
    with pytest.raises(InputError, match='"instances" must be a list'):
        smoke_test(write_archive(tmp_path, files={"golden-request.json": '{"instances": "a"}'}))


def test_it_is_not_ready_in_time(tmp_path: Path) -> None:
    slow = "import time\ntime.sleep(600)\ndef handle(data, context): ...\n"
    report = smoke_test(write_archive(tmp_path, slow), ["a"], ready_timeout_seconds=5)
    assert report.ready_seconds is None
    assert "was not ready after 5 s" in report.failure()


PARAMETERS_HANDLER = """\
def handle(data, context):
    return None if data is None else [[item, p] for item, p in zip(data, context.instance_parameters)]
"""


def test_whole_requests_with_their_parameters_and_several_of_them(tmp_path: Path) -> None:
    requests = [
        PredictionRequest(["a", "b"], {"top_k": 2}, [["a", {"top_k": 2}], ["b", {"top_k": 2}]]),
        PredictionRequest(["c"], predictions=[["c", {}]]),
    ]
    plan = ServingPlan.of(write_archive(tmp_path, PARAMETERS_HANDLER))
    report = run_smoke_test(plan, requests)
    assert report.failure() == ""
    assert report.predictions == [["a", {"top_k": 2}], ["b", {"top_k": 2}], ["c", {}]]
    assert [check.name for check in report.checks].count("predictions") == 2


def test_predictions_that_are_expected_and_do_not_come(tmp_path: Path) -> None:
    requests = [PredictionRequest(["a"]), PredictionRequest(["b"], predictions=[{"echo": "a"}])]
    report = run_smoke_test(ServingPlan.of(write_archive(tmp_path)), requests)
    assert report.failure() == 'predictions: predictions[0].echo: expected "a", got "b"'


def test_the_report_is_json(tmp_path: Path) -> None:
    report = smoke_test(write_archive(tmp_path), ["a"])
    content = json.loads(json.dumps(report.as_json()))
    assert set(content) == {
        "mar_path", "model_name", "image", "lock", "ok", "size_bytes", "sha256", "started_at", "seconds",
        "ready_seconds", "checks", "phases", "load", "findings", "log_problems", "sizing",
        "served_as", "differences", "comparison", "not_covered", "replaced", "versions", "predictions",
    }  # fmt: skip
    assert content["image"] is None
    assert content["checks"][0]["name"] == "archive"
