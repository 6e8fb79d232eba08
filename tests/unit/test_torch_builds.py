"""Which build takes a torch and a CUDA, and what is refused before one starts."""

import re

import pytest

from tests.documents import ROOT
from vertex_torchserve.errors import InputError
from vertex_torchserve.torch_builds import CUDAS, DEFAULT_TORCH, SERIES, torch_build_arguments

INDEX = "https://download.pytorch.org/whl"


@pytest.mark.parametrize(
    ("torch", "cuda", "gpu", "arguments"),
    [
        (None, None, True, {}),
        ("2.14.1", None, False, {"TORCH_VERSION": "2.14.1"}),
        ("2.14.1", None, True, {"TORCH_VERSION": "2.14.1", "TORCH_INDEX_URL": f"{INDEX}/cu126"}),
        ("2.15.0", None, True, {"TORCH_VERSION": "2.15.0", "TORCH_INDEX_URL": f"{INDEX}/cu130"}),
        ("2.15.0", "13.2", True, {"TORCH_VERSION": "2.15.0", "TORCH_INDEX_URL": f"{INDEX}/cu132"}),
        (None, "13.0", True, {"TORCH_VERSION": "2.13.0", "TORCH_INDEX_URL": f"{INDEX}/cu130"}),
    ],
)
def test_build_arguments(torch: str | None, cuda: str | None, gpu: bool, arguments: dict[str, str]) -> None:
    assert torch_build_arguments(torch, cuda, gpu=gpu) == arguments


@pytest.mark.parametrize(
    ("torch", "cuda", "gpu", "said"),
    [
        ("2.15.0", "12.6", True, ["torch 2.15.0 has no wheels for CUDA 12.6"]),
        (None, "12.8", True, ["torch 2.13.0 has no wheels for CUDA 12.8"]),
        ("2.13.0", "11.8", True, ["--cuda '11.8' is no CUDA that torch has wheels for"]),
        ("2.13.0", "cu126", True, ["--cuda 'cu126' is no CUDA that torch has wheels for"]),
        ("2.13.0", "12.6", False, ["--cuda is 12.6, and only the GPU image has a CUDA"]),
        (
            "2.13",
            "99",
            True,
            [
                "--torch-version '2.13' is not a version of a torch that is known here",
                "--cuda '99' is no CUDA that torch has wheels for",
            ],
        ),
        ("2.9.1", None, False, ["--torch-version '2.9.1' is not a version of a torch that is known here"]),
    ],
)
def test_what_is_refused(torch: str | None, cuda: str | None, gpu: bool, said: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        torch_build_arguments(torch, cuda, gpu=gpu)
    assert [problem.message for problem in caught.value.problems] == said


def test_the_fix_names_what_there_is() -> None:
    with pytest.raises(InputError) as caught:
        torch_build_arguments("2.15.0", "12.6", gpu=True)
    [problem] = caught.value.problems
    assert problem.fix == "give --cuda 13.0 or 13.2, or a torch of 2.10, 2.11, 2.12, 2.13, 2.14"


@pytest.mark.parametrize("image", ["torchserve-cpu", "torchserve-gpu"])
def test_the_dockerfiles_have_the_arguments_and_the_default(image: str) -> None:
    text = (ROOT / "images" / image / "Dockerfile").read_text()
    arguments = dict(re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE))
    assert arguments["TORCH_VERSION"] == DEFAULT_TORCH
    assert "TORCH_INDEX_URL" in arguments
    if image == "torchserve-gpu":
        default = torch_build_arguments(DEFAULT_TORCH, None, gpu=True)
        assert arguments["TORCH_INDEX_URL"] == default["TORCH_INDEX_URL"]


def test_every_series_has_known_cudas() -> None:
    assert {cuda for cudas in SERIES.values() for cuda in cudas} == set(CUDAS)
