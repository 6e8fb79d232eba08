"""What is said about a GPU that torch can't use."""

import pytest

from vertex_torchserve.doctor.gpu_check import gpu_fix


@pytest.mark.parametrize(
    ("wheel", "driver", "words"),
    [
        ("", "12.4", "install a torch with CUDA"),
        (
            "13.0",
            "12.4",
            "update NVIDIA's driver to one for CUDA 13.0, or install a torch for CUDA 12.4 or older",
        ),
        ("12.6", "12.4", "the GPU may be too old for this torch"),
        ("12.6", "unknown", "the GPU may be too old for this torch"),
    ],
)
def test_fix(wheel: str, driver: str, words: str) -> None:
    assert words in gpu_fix(wheel, driver)
