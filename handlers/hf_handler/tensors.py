"""What a processor made of single inputs, joined to a batch and taken apart again."""

from collections.abc import Hashable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch

TOKEN_INPUTS = {"input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "bbox"}


def tensors_of(inputs: Mapping[str, Any], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the tensors in what a processor gave (a batch of one), floats as the model's."""
    return {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor)
    }


def shapes_of(inputs: Mapping[str, torch.Tensor], padded: bool) -> Hashable:
    """Return what must be equal to run together: every shape, but the count of tokens where it's padded."""
    return tuple(
        (name, tuple(value.shape[2:] if padded and name in TOKEN_INPUTS else value.shape))
        for name, value in sorted(inputs.items())
    )


def together(
    several: Sequence[Mapping[str, torch.Tensor]], device: torch.device, pad: int = 0, left: bool = False
) -> dict[str, torch.Tensor]:
    """Join inputs (1 x ...) to a batch; tokens are padded to the longest.

    Args:
        several: Of equal `shapes_of`.
        device: Where the batch goes.
        pad: The token to pad with.
        left: Whether padding comes first.
    """
    batch = {}
    for name in several[0]:
        values = [inputs[name] for inputs in several]
        if name in TOKEN_INPUTS:
            longest = max(value.shape[1] for value in values)
            values = [_padded(value, longest, pad if name == "input_ids" else 0, left) for value in values]
        batch[name] = torch.cat(values).to(device)
    return batch


def _padded(value: torch.Tensor, length: int, filling: int, left: bool) -> torch.Tensor:
    missing = length - value.shape[1]
    if not missing:
        return value
    filler = value.new_full((value.shape[0], missing, *value.shape[2:]), filling)
    return torch.cat([filler, value] if left else [value, filler], dim=1)


def separated(output: Any, count: int) -> list[Any]:
    """Return what a model gave for a batch as outputs for one row each, on the CPU."""
    named = {
        name: value.float().cpu() if value.is_floating_point() else value.cpu()
        for name, value in output.items()
        if isinstance(value, torch.Tensor) and "hidden" not in name
    }
    if count == 1:
        return [SimpleNamespace(**named)]
    return [
        SimpleNamespace(
            **{name: value[row : row + 1] for name, value in named.items() if value.shape[:1] == (count,)}
        )
        for row in range(count)
    ]
