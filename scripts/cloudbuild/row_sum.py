"""A TorchScript model that adds the numbers of each row, and instances for it, in the working directory."""

import json
from pathlib import Path

import torch


class RowSum(torch.nn.Module):
    """Adds up each row."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Shape (rows, columns) to (rows,)."""
        return rows.sum(dim=1)


if __name__ == "__main__":
    Path("model").mkdir()
    torch.jit.trace(RowSum(), torch.ones(2, 3)).save("model/model.pt")  # type: ignore[no-untyped-call]
    Path("instances.json").write_text(json.dumps([[1.0, 2.0, 3.0], [0.5, 0.5, -4.0]]))
