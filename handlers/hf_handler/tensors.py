"""Inputs of single items joined to a batch, and a model's output for a batch taken apart again.

For models whose processors make tensors of each item by itself: those of pictures, sounds and pages.
"""

from collections.abc import Hashable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch

# Inputs with a value for each token (1 x tokens x ...).
TOKEN_INPUTS = {"input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "bbox"}


def tensors_of(inputs: Mapping[str, Any], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the tensors in what a processor gave for one item.

    Args:
        inputs: Each `1 x ...`; what is no tensor is left out.
        dtype: The model's, which floats are changed to.
    """
    return {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor)
    }


def shapes_of(inputs: Mapping[str, torch.Tensor], padded: bool) -> Hashable:
    """Return what must be equal for items to run together.

    Args:
        inputs: Of one item, each `1 x ...`.
        padded: Whether tokens are padded, so that their count may differ.

    Returns:
        Names and shapes.
    """
    return tuple(
        (name, tuple(value.shape[2:] if padded and name in TOKEN_INPUTS else value.shape))
        for name, value in sorted(inputs.items())
    )


def together(
    several: Sequence[Mapping[str, torch.Tensor]], device: torch.device, pad: int = 0, left: bool = False
) -> dict[str, torch.Tensor]:
    """Join the inputs of items to a batch; tokens are padded to the longest item's.

    Args:
        several: Each item's inputs, `1 x ...`, of equal `shapes_of`.
        device: Where the batch goes.
        pad: The token to pad `input_ids` with; other inputs of tokens are padded with 0.
        left: Whether padding stands before an item's tokens rather than behind them.

    Returns:
        Each input as a tensor, `items x ...`.
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
    """Take a model's output for a batch apart.

    Args:
        output: As transformers' models return it; hidden states are left out.
        count: Items of the batch.

    Returns:
        For each item an object with the output's tensors, `1 x ...`, on the CPU, floats as float32. Where
        there are several items, tensors that don't have a row for each are left out.
    """
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
