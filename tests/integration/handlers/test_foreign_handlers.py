"""Handlers of other servers: what their adapters make of a request and of what the author's code answers."""

import os
from pathlib import Path
from typing import Any

import pytest

from testbed.adapted_handler import answer, loaded, package
from testbed.foreign_handlers import CASES, ENDPOINT_CASES, SAGEMAKER_CASES, Case
from vertex_torchserve.archive_check.check import check_path

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


def test_a_worker_sees_its_own_gpu_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "handlers"))
    from foreign_handler.loading import show_one_gpu

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    show_one_gpu(None)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,6"
    show_one_gpu(1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "6"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    show_one_gpu(2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"
