"""NVIDIA's driver against the CUDA that torch's wheel is built for."""

import json
import re
import subprocess
import sys

from vertex_torchserve.doctor.finding import Finding, State

_SECONDS = 120  # the driver without its persistence daemon, and torch's import, take seconds each
_CUDA = re.compile(r"CUDA Version: (?P<cuda>\d+\.\d+)")
_QUERY = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")
_ASK_TORCH = """
import json, torch
try:
    torch.cuda.init()
    reason = ""
except Exception as error:
    reason = str(error).splitlines()[0]
print(json.dumps([torch.__version__, torch.version.cuda or "", torch.cuda.device_count(), reason]))
"""


def check_gpu() -> list[Finding]:
    """Which GPUs there are, and whether torch can use them."""
    listed = _output("nvidia-smi", *_QUERY)
    asked = _output(sys.executable, "-c", _ASK_TORCH)
    torch, wheel, usable, reason = json.loads(asked) if asked else ("", "", 0, "torch is not installed")
    built = f"torch {torch} for {f'CUDA {wheel}' if wheel else 'CPUs'}" if torch else reason
    if not listed:
        return [
            Finding(
                "gpu",
                State.MISSING,
                f"no GPU is to be seen (nvidia-smi); {built}",
                "serve on CPUs, as most do",
            )
        ]
    gpus = "; ".join(listed.strip().splitlines())
    driver = _CUDA.search(_output("nvidia-smi"))
    takes = driver["cuda"] if driver else "unknown"
    seen = f"{gpus}; the driver takes CUDA up to {takes}; {built}"
    if usable:
        return [Finding("gpu", State.OK, f"{seen}, which uses {usable}")]
    return [Finding("gpu", State.MISSING, f"{seen}, which can't use it: {reason}", gpu_fix(wheel, takes))]


def gpu_fix(wheel: str, driver: str) -> str:
    """What to do when torch can't use a GPU that is there.

    Args:
        wheel: The CUDA that torch is built for, such as `13.0`; empty for CPUs.
        driver: The newest CUDA that the driver takes.
    """
    if not wheel:
        return "install a torch with CUDA: https://pytorch.org/get-started/locally"
    if driver[:1].isdigit() and int(driver.partition(".")[0]) < int(wheel.partition(".")[0]):
        return (
            f"update NVIDIA's driver to one for CUDA {wheel}, or install a torch for CUDA {driver} or older"
        )
    return "look at CUDA_VISIBLE_DEVICES and at `nvidia-smi`; the GPU may be too old for this torch"


def _output(*command: str) -> str:
    """What a program prints; nothing when it isn't there or fails."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout if run.returncode == 0 else ""
