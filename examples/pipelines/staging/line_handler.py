"""Serves a fitted line: a number in, a number out."""

from pathlib import Path

import torch


class LineHandler:
    """Answers weight * x + bias for each instance x."""

    def initialize(self, context):
        """Load what the training step saved."""
        folder = Path(context.system_properties["model_dir"])
        fitted = torch.load(folder / "ckpt.pt", weights_only=True)
        self.weight, self.bias = fitted["weight"], fitted["bias"]

    def handle(self, data, context):  # noqa: ARG002
        """One number for each instance."""
        return (self.weight * torch.tensor(data, dtype=torch.float32) + self.bias).tolist()
