"""The GPUs that TorchServe and torch will find, by NVIDIA's own program and by a Python that asks torch."""

import re
import subprocess
import sys
from collections.abc import Mapping

from vertex_torchserve.errors import InputError, Problem, ServingError

_SECONDS = 120  # the driver without its persistence daemon, and torch's import, take seconds each
# `nvidia-smi -L`: "GPU 0: NVIDIA L4 (UUID: GPU-...)", and beneath it, indented, "MIG 1g.5gb Device 0: (...)".
_LISTED = re.compile(r"^(?P<gpu>GPU (?P<index>\d+): )?.*\(UUID: (?P<uuid>[^)]+)\)\s*$", re.MULTILINE)
_ASK_TORCH = "import sys, torch; torch.cuda.init(); sys.exit(not torch.cuda.device_count())"


def usable_gpus(environment: Mapping[str, str]) -> int:
    """The items of `CUDA_VISIBLE_DEVICES` without -1, else what `nvidia-smi` lists; as TorchServe counts."""
    visible = environment.get("CUDA_VISIBLE_DEVICES", "")
    if visible:
        return len([item for item in visible.split(",") if item.strip() != "-1"])
    listed = _run(["nvidia-smi", "-L"], environment)
    return sum(match["gpu"] is not None for match in _LISTED.finditer(listed.stdout)) if listed else 0


def require_accelerator(accelerator: str, environment: Mapping[str, str]) -> None:
    """Refuse to serve on CPUs when an accelerator was asked for: the model would only be slow.

    Args:
        accelerator: `AIP_ACCELERATOR_TYPE`; empty when none was asked for.
        environment: Of nvidia-smi and of the Python that imports torch.

    Raises:
        ServingError: With what NVIDIA's program or torch says about it.
    """
    if not accelerator:
        return
    asked = f"AIP_ACCELERATOR_TYPE={accelerator!r}"
    listed = _run(["nvidia-smi", "-L"], environment)
    if listed is None or listed.returncode != 0 or not _LISTED.search(listed.stdout):
        said = "there is no nvidia-smi" if listed is None else f"nvidia-smi says: {_last_line(listed)}"
        raise ServingError(
            f"{asked}, but no GPU is to be seen here ({said})",
            "deploy the GPU image on a machine with that accelerator, or deploy without one",
        )
    asked_torch = _run([sys.executable, "-c", _ASK_TORCH], environment)
    if asked_torch is None or asked_torch.returncode != 0:
        said = "it did not answer" if asked_torch is None else _last_line(asked_torch)
        raise ServingError(
            f"{asked} and nvidia-smi lists a GPU, but torch can't use it: {said}",
            "use the GPU image, with a torch whose CUDA the machine's driver supports",
        )


def visible_devices(environment: Mapping[str, str]) -> dict[str, str]:
    """`CUDA_VISIBLE_DEVICES` as indices, which is all TorchServe can read; empty when there is nothing to do.

    Raises:
        InputError: For a UUID that `nvidia-smi -L` doesn't list, or one of several MIG devices of a GPU.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES", "")
    items = [item.strip() for item in visible.split(",")]
    if not any(item.startswith(("GPU-", "MIG-")) for item in items):
        return {}
    listed = _run(["nvidia-smi", "-L"], environment)
    indices = _indices(listed.stdout if listed else "")
    unknown = [item for item in items if item.startswith(("GPU-", "MIG-")) and item not in indices]
    if unknown:
        known = ", ".join(indices) or "none"
        raise InputError(
            Problem(
                f"CUDA_VISIBLE_DEVICES names {', '.join(unknown)}; nvidia-smi lists as usable: {known}",
                "name a device that is there; of a GPU with several MIG devices give the container only one",
            )
        )
    return {
        "CUDA_VISIBLE_DEVICES": ",".join(str(indices.get(item, item)) for item in items),
        # nvidia-smi's order; CUDA's own is the fastest first.
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }


def _indices(listing: str) -> dict[str, int]:
    """The index of each UUID; a MIG device has its GPU's when it is the only one there."""
    indices: dict[str, int] = {}
    slices: dict[int, list[str]] = {}
    index = 0
    for match in _LISTED.finditer(listing):
        if match["gpu"]:
            index = int(match["index"])
            indices[match["uuid"]] = index
        else:
            slices.setdefault(index, []).append(match["uuid"])
    return indices | {uuids[0]: index for index, uuids in slices.items() if len(uuids) == 1}


def _run(command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str] | None:
    """None when the program isn't there or doesn't end."""
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    lines = (process.stdout + process.stderr).strip().splitlines()
    return lines[-1] if lines else f"nothing, exit code {process.returncode}"
