"""Handlers of other servers: what their adapters make of a request and of what the author's code answers."""

import os
from pathlib import Path
from typing import Any

import pytest
from ts.utils.util import PredictionException

from testbed.adapted_handler import answer, loaded, package
from testbed.foreign_handlers import CASES, ENDPOINT_CASES, SAGEMAKER_CASES, Case
from testbed.loaded_handler import HANDLERS
from testbed.tiny_models import make
from vertex_torchserve.archive_check.check import check_path


def http_exception(**attributes: Any) -> Exception:
    """An exception with a status of its own, as web frameworks and SageMaker's toolkit have them."""
    error = Exception("message")
    error.__dict__.update(attributes)
    return error


LABELS, FOUR = ENDPOINT_CASES[0], SAGEMAKER_CASES[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.handler} {case.shows[:40]}")
def test_what_is_answered(case: Case, tmp_path: Path) -> None:
    status, body = answer(case, tmp_path)
    if status == 500:  # the envelope adds the request's id
        body = {"error": body["error"].partition(" (request ")[0]}
    assert (status, body) == (case.status, case.answer)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.handler} {case.shows[:40]}")
def test_check_finds_nothing_in_such_archives(case: Case, tmp_path: Path) -> None:
    built = package(case, tmp_path)
    assert built.warnings == ()
    assert check_path(str(built.mar_path)).findings == ()


def test_a_bad_request_touches_no_other_of_its_batch(tmp_path: Path) -> None:
    with loaded(LABELS, tmp_path) as send:
        sent = send(b'{"instances": ["a"]}', b'{"instances": ["b", 1]}', b'{"instances": ["b"]}')
    assert sent.statuses == [200, 400, 200]
    assert sent.answers[0] == {"predictions": [[{"label": "a", "score": 1}]]}
    assert sent.answers[1] == {"error": "instance 1: inputs must be a text"}
    assert sent.answers[2] == {"predictions": [[{"label": "b", "score": 1}]]}


def test_parameters_are_each_instance_s_own(tmp_path: Path) -> None:
    """The author's code may take them apart, as it gets what its own server would have made for it alone."""
    changing = LABELS.files["handler.py"].replace("parameters.get(", "parameters.pop(")  # type: ignore[arg-type]
    case = LABELS._replace(files={**LABELS.files, "handler.py": changing})
    with loaded(case, tmp_path) as send:
        sent = send(b'{"instances": ["ab", "ab"], "parameters": {"top_k": 2}}')
    assert [len(each) for each in sent.answers[0]["predictions"]] == [2, 2]


def test_modules_beside_the_author_s_file_are_found(tmp_path: Path) -> None:
    source = "from beside import ANSWER\nfrom parts.inner import DEEP\n"
    files = {
        "code/inference.py": source
        + str(FOUR.files["code/inference.py"]).replace("prediction}", "[ANSWER, DEEP]}"),
        "code/beside.py": "ANSWER = 42\n",
        "code/parts/inner.py": "DEEP = 43\n",
        "factor.json": "2",
    }
    case = FOUR._replace(files=files)
    assert package(case, tmp_path / "checked").warnings == ()
    status, body = answer(case, tmp_path)
    assert (status, body["predictions"][0]) == (200, {"doubled": [42, 43]})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"content_type": 5}, "parameters.content_type must be a string, such as 'application/json'"),
        ({"content_type": "text/csv", "top_k": 1}, "a body of type 'text/csv' takes no parameters but"),
        ({"content_type": "text/csv"}, 'an instance of type \'text/csv\' must be a text or {"b64": "..."}'),
    ],
)
def test_parameters_that_do_not_fit(parameters: dict[str, Any], message: str, tmp_path: Path) -> None:
    case = FOUR._replace(request={"instances": [[1]], "parameters": parameters})
    status, body = answer(case, tmp_path)
    assert status == 400
    assert body["error"].startswith(f"instance 0: {message}")


@pytest.mark.parametrize("instance", ["a", {"a": 1}, [["a"]], [[1], [2, 3]]])
def test_what_is_no_tensor(instance: Any, tmp_path: Path) -> None:
    status, body = answer(SAGEMAKER_CASES[2]._replace(request={"instances": [instance]}), tmp_path)
    assert (status, list(body)) == (400, ["error"])


@pytest.mark.parametrize(
    ("parameters", "status", "message"),
    [
        (
            {"content_type": "image/png"},
            415,
            "content type 'image/png' is not one of application/json, text/csv",
        ),
        ({"accept": "image/png"}, 406, "accept 'image/png' is not one of application/json, text/csv"),
        ({"content_type": "application/x-npy"}, 400, "the NPY file can't be read, or holds a pickle"),
    ],
)
def test_types_that_the_defaults_do_not_know(
    parameters: dict[str, str], status: int, message: str, tmp_path: Path
) -> None:
    case = SAGEMAKER_CASES[2]
    instance = [[1]] if "accept" in parameters else {"b64": "gANLAS4="}  # a pickle
    got, body = answer(case._replace(request={"instances": [instance], "parameters": parameters}), tmp_path)
    assert got == status
    assert body["error"].startswith(f"instance 0: {message}")


def test_the_type_that_is_answered_where_none_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
    case = SAGEMAKER_CASES[2]._replace(request={"instances": [[[1, 2], [3, 4]]]})
    assert answer(case, tmp_path) == (200, {"predictions": ["6.0\n14.0\n"]})


def test_whose_defaults_are_taken_can_be_said(tmp_path: Path) -> None:
    """This one has a config.json and is no model of transformers'."""
    source = (
        "def model_fn(model_dir):\n    return None\n\n\ndef predict_fn(data, model):\n    return data.sum()\n"
    )
    files: dict[str, str | bytes] = {"inference.py": source, "config.json": "{}", "weights.bin": b"w"}
    case = SAGEMAKER_CASES[2]._replace(files=files, request={"instances": [[1, 2]]})
    assert answer(case, tmp_path / "guessed")[0] == 500
    said = case._replace(files={**files, "model-config.yaml": "handler: {toolkit: pytorch}\n"})
    assert answer(said, tmp_path / "said") == (200, {"predictions": [3.0]})
    wrong = case._replace(files={**files, "model-config.yaml": "handler: {toolkit: tensorflow}\n"})
    with pytest.raises(
        ValueError, match=r"handler\.toolkit is 'tensorflow'; pytorch and huggingface are acc"
    ):
        answer(wrong, tmp_path / "wrong")


@pytest.mark.parametrize("environment", [{}, {"HF_TASK": "fill-mask"}])
def test_a_pipeline_of_transformers_where_there_is_no_model_fn(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transformers: Any
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if environment:
        files, text = saved("fill-mask", tmp_path / "saved"), "a [MASK]"
        expected = transformers.pipeline("fill-mask", model=str(tmp_path / "saved"))(text, top_k=1)
    else:
        files, text = saved("text-classification", tmp_path / "saved"), "a"
        expected = transformers.pipeline("text-classification", model=str(tmp_path / "saved"))(text, top_k=1)
    files["inference.py"] = (
        "import json\n\n\ndef output_fn(prediction, accept):\n    return json.dumps(prediction)\n"
    )
    request = {"instances": [text], "parameters": {"top_k": 1}}
    case = Case("", "sagemaker:inference.py", files, request, 200, None)
    status, body = answer(case, tmp_path)
    assert status == 200, body
    assert body["predictions"][0][0]["score"] == pytest.approx(expected[0]["score"], abs=1e-5)


def saved(name: str, folder: Path) -> dict[str, str | bytes]:
    """The files of a tiny model of transformers."""
    make(name, folder)
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_torchserve_s_own_envelope_gets_predictions_and_the_exception(tmp_path: Path) -> None:
    """As in Google's prebuilt containers: it can't fail one request alone."""
    with loaded(LABELS, tmp_path, envelope="json") as send:
        sent = send({"instances": ["a", "b"]})
        assert sent.answers == [{"predictions": [[{"label": "a", "score": 1}], [{"label": "b", "score": 1}]]}]
        with pytest.raises(ValueError, match="inputs must be a text"):
            send({"instances": ["a", 5]})


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ValueError("too long"), 400, "too long"),
        (KeyError("secret"), 500, "the prediction failed"),
        (MemoryError(), 507, "out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), 507, "out of memory"),
        (RuntimeError("shape of secret"), 500, "the prediction failed"),
        (PredictionException("of TorchServe", 413), 413, "of TorchServe"),
        (http_exception(status_code=422, detail="of a framework"), 422, "of a framework"),
        (http_exception(status_code=404, message="of SageMaker"), 404, "of SageMaker"),
        (http_exception(status_code=200), 500, "the prediction failed"),
    ],
    ids=repr,
)
def test_what_an_exception_means(
    error: Exception, status: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HANDLERS))
    from foreign_handler.calls import failure_of

    assert failure_of(error) == (status, message)


def test_a_worker_sees_its_own_gpu_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HANDLERS))
    from foreign_handler.loading import show_one_gpu

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    show_one_gpu(None)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,6"
    show_one_gpu(1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "6"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    show_one_gpu(2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"
