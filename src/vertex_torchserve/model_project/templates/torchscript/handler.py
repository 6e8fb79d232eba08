"""Run a TorchScript program on rows of numbers.

TorchServe makes one `Handler` in each worker, calls `initialize` once and `handle` for each batch. With this
toolkit's servers `data` is a list of instances, and one prediction for each goes back.
"""

from pathlib import Path
from typing import Any

import torch


class Handler:
    """The program in model.pt."""

    def initialize(self, context: Any) -> None:
        """Load the program.

        Args:
            context: TorchServe's; `system_properties["model_dir"]` is the unpacked archive.
        """
        folder = Path(context.system_properties["model_dir"])
        self.program = torch.jit.load(str(folder / "model.pt"))

    def handle(self, data: list[Any], context: Any) -> list[list[float]]:  # noqa: ARG002
        """Answer a batch.

        Args:
            data: Instances, four numbers each here.
            context: TorchServe's.
        """
        with torch.inference_mode():
            rows: torch.Tensor = self.program(torch.tensor(data, dtype=torch.float32)).softmax(dim=1)
        scores: list[list[float]] = rows.tolist()
        return scores
