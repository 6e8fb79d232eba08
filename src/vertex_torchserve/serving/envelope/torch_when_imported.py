"""TorchServe's worker without torch, until a handler imports it.

TorchServe imports torch to see whether an answer is a tensor, which takes seconds and hundreds of megabytes.
An answer can be one only where the model's code has imported torch.
"""

import importlib
import sys
from types import ModuleType
from typing import Any, BinaryIO


class TorchWhenImported:
    """What TorchServe's module of messages needs of torch: to know a tensor, and to write it."""

    __spec__ = None  # Python asks every module that it imports

    @property
    def Tensor(self) -> Any:  # noqa: N802  # torch's own name
        """The class of tensors; no class at all while torch is not imported."""
        return sys.modules["torch"].Tensor if "torch" in sys.modules else ()

    def save(self, tensor: Any, file: BinaryIO) -> None:
        """Write a tensor as `torch.save` does."""
        sys.modules["torch"].save(tensor, file)


def import_without_torch(name: str) -> ModuleType:
    """Import a module that imports torch, without torch.

    Args:
        name: The module; it uses torch in its functions only.

    Returns:
        The module, which finds torch when it needs it.
    """
    if "torch" in sys.modules:
        return importlib.import_module(name)
    torch: Any = TorchWhenImported()
    sys.modules["torch"] = torch
    try:
        return importlib.import_module(name)
    finally:
        del sys.modules["torch"]
