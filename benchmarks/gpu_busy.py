"""The share of time in which a GPU runs a kernel."""

import statistics
import subprocess
from types import TracebackType

import torch

PERIOD_MS = 100


class BusyShare:
    """Watches a GPU during its context; `share` is then its mean utilization by nvidia-smi's samples, 0 to 1.

    None on the CPU, and where nvidia-smi gave no sample. NVIDIA's "utilization.gpu" is the share of the last
    sample period in which at least one kernel ran.

    Args:
        device: What is watched.
    """

    def __init__(self, device: torch.device) -> None:
        self.share: float | None = None
        self._device = device
        self._sampler: subprocess.Popen[str] | None = None

    def __enter__(self) -> "BusyShare":
        if self._device.type == "cuda":
            uuid = f"GPU-{torch.cuda.get_device_properties(self._device).uuid}"
            try:
                self._sampler = subprocess.Popen(
                    ["nvidia-smi", f"--id={uuid}", "--query-gpu=utilization.gpu",
                     "--format=csv,noheader,nounits", f"--loop-ms={PERIOD_MS}"],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                )  # fmt: skip
            except FileNotFoundError:
                self._sampler = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sampler is None:
            return
        self._sampler.terminate()
        output, _ = self._sampler.communicate(timeout=30)
        samples = [float(line) for line in output.split() if line.isdigit()]
        if samples:
            self.share = round(statistics.mean(samples) / 100, 3)
