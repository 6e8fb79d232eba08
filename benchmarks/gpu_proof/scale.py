"""How much the proof measures: what a GPU does in ten minutes, or a CPU of two cores in two."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Scale:
    """What the parts measure, and with what.

    Attributes:
        device: The first GPU, or the CPU.
        seconds: Of each measurement of speed.
        clients: How many ask at once, one number after the other.
        texts: Of a request that holds several; 0: none does.
        starts: Of a server, for the cold start.
        every_model: Whether all tiny models answer, or those of a few tasks.
    """

    device: torch.device
    seconds: float
    clients: tuple[int, ...]
    texts: int
    starts: int
    every_model: bool

    @property
    def on_gpu(self) -> bool:
        """Whether CUDA is measured."""
        return self.device.type == "cuda"


def scale_here(*, short: bool) -> Scale:
    """What fits this machine.

    Args:
        short: Measure little, to see that the program works.
    """
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if short or device.type == "cpu":
        return Scale(device, 0.5, (1, 4) if short else (1, 8), 0 if short else 16, 1, not short)
    return Scale(device, 2.0, (1, 8, 32, 128), 64, 2, True)
