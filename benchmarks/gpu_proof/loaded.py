"""A tiny model loaded as a TorchServe worker with a GPU loads it, in this process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.device_models import make_handlers_importable
from testbed.loaded_handler import load, write_manifest


class LoadedModel:
    """The reference handler with one model.

    Args:
        folder: The model's; a manifest is written into it.
        gpu_id: What TorchServe gives the worker; None: no GPU.
        settings: Of the handler.

    Attributes:
        device: Where the model is.
        dtype: Of its weights, by torch's name without `torch.`.
    """

    def __init__(self, folder: Path, gpu_id: int | None, settings: Mapping[str, str]) -> None:
        make_handlers_importable()
        written = ", ".join(f"{name}: {value}" for name, value in settings.items())
        write_manifest(folder, config=f"handler: {{{written}}}")
        self._send = load(folder, envelope=None, gpu_id=gpu_id)
        task = self._send.service.context.huggingface.task
        self.device = str(task.device)
        self.dtype = str(next(task.model.parameters()).dtype).removeprefix("torch.")

    def predictions(self, body: Mapping[str, Any]) -> list[Any]:
        """Ask once.

        Raises:
            RuntimeError: When the answer is not 200.
        """
        sent = self._send(dict(body))
        if sent.statuses != [200]:
            raise RuntimeError(f"the handler answered {sent.statuses}: {sent.answers}"[:500])
        found: list[Any] = sent.answers[0]["predictions"]
        return found
