"""Golden requests from the first to the last: recorded, packaged, asked again, compared."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from testbed.archives import write_archive
from testbed.tiny_models import make, samples
from tests.commands import run_command
from vertex_torchserve.errors import ServingError
from vertex_torchserve.golden.compare import replay
from vertex_torchserve.golden.model_asked import asked
from vertex_torchserve.golden.record import record
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive
from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.archive.request_file import RequestFile, request_file_text
from vertex_torchserve.serving_plan import ServingPlan
from vertex_torchserve.smoke_test.run import run_smoke_test

# Answers with the length of the text, a little more in a larger batch, and on some words otherwise each time.
HANDLER = """\
import time


def handle(data, context):
    if data is None:
        return None
    if "refused" in data:
        context.set_response_status(code=400, idx=0)
        return [{"error": "this word is refused"}] * len(data)
    return [
        {"n": time.time_ns() % 1000 if item == "far" else len(item) + 1e-4 * (len(data) - 1),
         "text": str(time.time_ns()) if item == "text" else item}
        for item in data
    ]
"""


def package(model: Path, folder: Path, golden: RequestFile | None = None) -> Path:
    file = None
    if golden is not None:
        file = folder.with_suffix(".json")
        file.write_text(request_file_text(golden))
    spec = ModelArchiveSpec(model, handler="huggingface", golden_request=file)
    return build_model_archive(spec, folder).mar_path


def changed_weights(model: Path, by: float) -> str:
    """Add to one weight of the last layer; returns its name."""
    file = model / "model.safetensors"
    weights = load_file(file)
    name = sorted(name for name in weights if name.endswith("output.dense.weight"))[-1]
    weights[name][0, 0] += by
    save_file(weights, file, metadata={"format": "pt"})
    return name


def test_a_weight_changed_by_a_thousandth_is_caught_and_the_order_of_keys_is_not(tmp_path: Path) -> None:
    model = make("text-classification", tmp_path / "model")
    old = package(model, tmp_path / "old")
    plan = ServingPlan.of(old)
    requests = [PredictionRequest(samples("text-classification"))]
    with asked(plan) as served:
        (recorded,) = record(served, requests)
        assert recorded.request.predictions is not None
        other_order = [dict(reversed(list(each.items()))) for each in recorded.request.predictions]
        assert json.dumps(other_order) != json.dumps(recorded.request.predictions)
        other = replace(recorded.request, predictions=other_order)
        assert all(not each.differences for each in replay(served, [recorded.request, other]))
    assert 1e-5 <= recorded.request.tolerance < 1e-4

    changed_weights(model, 1e-3)
    report = run_smoke_test(ServingPlan.of(package(model, tmp_path / "new", RequestFile([other], "model"))))
    assert [check.name for check in report.checks if not check.ok] == ["ready"]
    told = re.search(r"as expected: predictions\[.+?: expected ([\d.e-]+), got ([\d.e-]+)", report.failure())
    assert told, report.failure()
    assert 1e-5 < abs(float(told[1]) - float(told[2])) < 1e-2


def test_record_package_replay_diff_as_commands(tmp_path: Path) -> None:
    mar = write_archive(tmp_path / "old", HANDLER)
    (tmp_path / "i.jsonl").write_text('{"instances": ["a", "bb"]}\n{"instances": ["ccc"]}\n')
    golden = tmp_path / "golden-request.json"
    run = run_command(
        "golden", "record", str(mar), "--instances", str(tmp_path / "i.jsonl"),
        "--output", str(golden), "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    assert (told["model_name"], told["output"]) == ("model", str(golden))
    assert [each["instances"] for each in told["requests"]] == [2, 1]
    assert [each["repeats"] for each in told["requests"]] == [0.0, 0.0]
    assert [each["batches"] for each in told["requests"]] == pytest.approx([1e-4 / 1.0001, 3e-4 / 3.0003])
    assert [each["tolerance"] for each in told["requests"]] == [0.001, 0.001]
    content = json.loads(golden.read_text())
    assert content["model"] == "model"
    assert content["requests"][1] == {
        "instances": ["ccc"], "predictions": [{"n": 3.0, "text": "ccc"}], "tolerance": 0.001,
    }  # fmt: skip

    packed = write_archive(tmp_path / "packed", HANDLER, files={"golden-request.json": golden.read_text()})
    run = run_command("golden", "replay", str(packed), "--json")
    assert (run.returncode, json.loads(run.stdout)["changed"]) == (0, 0), run.stderr
    assert json.loads(run.stdout)["compared"] == 3

    new = write_archive(tmp_path / "new", HANDLER.replace("len(item) +", "2 * len(item) +"))
    run = run_command("golden", "diff", str(packed), str(new), "--json")
    assert run.returncode == 1, run.stderr
    told = json.loads(run.stdout)
    assert (told["changed"], told["compared"]) == (3, 3)
    assert told["instances"][2]["differences"] == [
        {"path": "predictions[0].n", "expected": 3.0, "got": 6.0, "by": 3.0}
    ]
    run = run_command("golden", "replay", str(new), "--golden-request", str(golden))
    assert run.returncode == 1
    assert "predictions[0].n: expected 3.0, got 6.0; the tolerance is 0.001" in run.stdout
    assert "3 of 3 answers changed" in run.stdout


def test_answers_that_are_not_repeatable_and_requests_that_are_refused(tmp_path: Path) -> None:
    with asked(ServingPlan.of(write_archive(tmp_path, HANDLER))) as model:
        for word, said in (
            ("text", 'request 1 of 1 asked again is answered otherwise: predictions[0].text: expected "'),
            ("far", "request 1 of 1 is answered with numbers that are "),
            ("refused", "request 1 of 1 was answered 400, 200 is needed: "),
        ):
            with pytest.raises(ServingError) as raised:
                record(model, [PredictionRequest([word])])
            assert said in raised.value.message
        (recorded,) = record(model, [PredictionRequest(["far"])], tolerance=1.0)
        assert recorded.request.tolerance == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["record", "model.mar", "--instances", "none.json"], "'none.json' does not exist"),
        (["record", "model.mar", "--instances", "i.json", "--output", "i.json"], "i.json exists already"),
        (["record", "model.mar", "--instances", "i.json", "--output", "x/y.json"], "no folder for x/y.json"),
        (
            ["record", "model.mar", "--instances", "i.json", "--tolerance", "inf"],
            "--tolerance inf is no number",
        ),
        (["replay", "model.mar"], "model.mar hold no golden-request.json, and no file of requests is given"),
        (["replay", "model.mar", "--golden-request", "i.json"], "request 1 holds no predictions"),
        (
            ["replay", "model.mar", "--golden-request", "bert.json"],
            "bert.json holds the answers of the model 'bert'; this one is 'model'",
        ),
        (["diff", "model.mar", "none.mar"], "none.mar is not a file"),
    ],
)
def test_bad_input_exits_with_2_before_anything_starts(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    write_archive(tmp_path)
    (tmp_path / "i.json").write_text("[1]")
    (tmp_path / "bert.json").write_text(
        '{"model": "bert", "requests": [{"instances": [1], "predictions": [1]}]}'
    )
    run = run_command("golden", *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert said in run.stderr
