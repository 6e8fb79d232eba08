"""Which torch has wheels for which CUDA, on which GPUs and drivers they run, and the build that takes one.

Wheels and GPUs: PyTorch's support matrices (RELEASE.md; of 2.15 pytorch/pytorch#190385). Drivers: NVIDIA's
"CUDA compatibility", minor version compatibility.
"""

import re
from dataclasses import dataclass

from vertex_torchserve.errors import InputError, Problem

# What the Dockerfiles take when nothing is given.
DEFAULT_TORCH = "2.13.0"
_INDEX = "https://download.pytorch.org/whl"
_VERSION = re.compile(r"(?P<series>\d+\.\d+)\.\d+")


@dataclass(frozen=True)
class CudaWheels:
    """torch's wheels for one CUDA on Linux x86-64.

    Attributes:
        gpus: The oldest and the newest compute capability that they hold programs for.
        driver: The oldest version of NVIDIA's driver that runs them.
    """

    gpus: tuple[float, float]
    driver: int


CUDAS = {
    "12.6": CudaWheels(gpus=(5.0, 9.0), driver=525),
    "12.8": CudaWheels(gpus=(7.5, 12.0), driver=525),
    "13.0": CudaWheels(gpus=(7.5, 12.0), driver=580),
    "13.2": CudaWheels(gpus=(7.5, 12.0), driver=580),
}
# Each series of torch, and the CUDAs that it has wheels for.
SERIES = {
    "2.10": ("12.6", "12.8", "13.0"),
    "2.11": ("12.6", "12.8", "13.0"),
    "2.12": ("12.6", "13.0", "13.2"),
    "2.13": ("12.6", "13.0", "13.2"),
    "2.14": ("12.6", "13.0", "13.2"),
    "2.15": ("13.0", "13.2"),
}


def torch_build_arguments(torch: str | None, cuda: str | None, *, gpu: bool) -> dict[str, str]:
    """Build arguments of the serving images' Dockerfiles for a torch and a CUDA.

    Args:
        torch: A version such as `2.14.1`; None: the Dockerfile's.
        cuda: Such as `13.0`; None: the oldest that this torch has wheels for, which runs on most drivers.
        gpu: Whether it is the GPU image; the CPU image's torch has no CUDA.

    Raises:
        InputError: There is no such version or CUDA, no such wheels, or a CUDA for the CPU image.
    """
    if torch is None and cuda is None:
        return {}
    problems = []
    found = _VERSION.fullmatch(torch or DEFAULT_TORCH)
    wheels = SERIES.get(found["series"]) if found else None
    if wheels is None:
        problems.append(
            Problem(
                f"--torch-version {torch!r} is not a version of a torch that is known here",
                f"write one such as {DEFAULT_TORCH}, of {', '.join(SERIES)}; any other can be given as "
                "--build-arg TORCH_VERSION=VERSION --build-arg TORCH_INDEX_URL=URL",
            )
        )
    if cuda is not None and not gpu:
        problems.append(
            Problem(f"--cuda is {cuda}, and only the GPU image has a CUDA", "leave it out, or build gpu")
        )
    elif cuda is not None and cuda not in CUDAS:
        problems.append(
            Problem(
                f"--cuda {cuda!r} is no CUDA that torch has wheels for", f"write one of {', '.join(CUDAS)}"
            )
        )
    elif cuda is not None and wheels and cuda not in wheels:
        problems.append(
            Problem(
                f"torch {torch or DEFAULT_TORCH} has no wheels for CUDA {cuda}",
                f"give --cuda {' or '.join(wheels)}, or a torch of {', '.join(_series_with(cuda))}",
            )
        )
    if problems or wheels is None:
        raise InputError(*problems)
    arguments = {"TORCH_VERSION": torch or DEFAULT_TORCH}
    if gpu:
        arguments["TORCH_INDEX_URL"] = f"{_INDEX}/cu{(cuda or wheels[0]).replace('.', '')}"
    return arguments


def _series_with(cuda: str) -> list[str]:
    return [series for series, cudas in SERIES.items() if cuda in cudas]
