"""Write model/model.pt: a small TorchScript program with random weights. Your own goes in its place."""

from pathlib import Path

import torch


def main() -> None:
    """Make the model, the same each time."""
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    Path("model").mkdir(exist_ok=True)
    torch.jit.script(layers).save("model/model.pt")


if __name__ == "__main__":
    main()
