"""Write model/: a small classifier of texts, with random weights. Your own training goes in its place."""

import json
from pathlib import Path

import torch

LABELS = ["NEGATIVE", "POSITIVE"]
BUCKETS = 1024


def main() -> None:
    """Make the model, the same each time."""
    torch.manual_seed(0)
    folder = Path("model")
    folder.mkdir(exist_ok=True)
    torch.save(torch.nn.Linear(BUCKETS, len(LABELS)).state_dict(), folder / "weights.pt")
    (folder / "labels.json").write_text(json.dumps(LABELS))


if __name__ == "__main__":
    main()
