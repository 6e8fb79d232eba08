"""Classify texts by their words.

TorchServe makes one `Handler` in each worker, calls `initialize` once and `handle` for each batch. With this
toolkit's servers `data` is a list of instances, and one prediction for each goes back.
"""

import json
import zlib
from pathlib import Path
from typing import Any

import torch


class Handler:
    """A bag of words, and a linear layer over it."""

    def initialize(self, context: Any) -> None:
        """Load the model.

        Args:
            context: TorchServe's; `system_properties["model_dir"]` is the unpacked archive.
        """
        folder = Path(context.system_properties["model_dir"])
        weights = torch.load(folder / "weights.pt", weights_only=True)
        self.labels = json.loads((folder / "labels.json").read_text())
        self.buckets = weights["weight"].shape[1]
        self.layer = torch.nn.Linear(self.buckets, len(self.labels))
        self.layer.load_state_dict(weights)

    def handle(self, data: list[Any], context: Any) -> list[dict[str, Any]]:  # noqa: ARG002
        """Answer a batch.

        Args:
            data: Instances, texts here.
            context: TorchServe's.
        """
        words = torch.zeros(len(data), self.buckets)
        for row, text in zip(words, data, strict=True):
            for word in str(text).lower().split():
                row[zlib.crc32(word.encode()) % self.buckets] += 1
        with torch.inference_mode():
            scores = self.layer(words).softmax(dim=1)
        return [{"label": self.labels[int(each.argmax())], "score": float(each.max())} for each in scores]
