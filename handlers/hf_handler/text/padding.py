"""Token rows of different lengths as tensors of one length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from hf_handler.items import Item


@dataclass(frozen=True)
class Padding:
    """Makes tensors of token rows: shorter rows are filled up to the longest.

    Attributes:
        values: What each input is filled with, by the input's name.
        left: Whether the filling stands before a row's tokens rather than behind them.
    """

    values: dict[str, int]
    left: bool

    @classmethod
    def of(cls, tokenizer: Any) -> "Padding":
        """Pad as a tokenizer of transformers would."""
        types = getattr(tokenizer, "pad_token_type_id", 0)
        values = {"input_ids": tokenizer.pad_token_id or 0, "attention_mask": 0, "token_type_ids": types}
        return cls(values, tokenizer.padding_side == "left")

    def __call__(
        self, rows: Sequence[Mapping[str, list[int]]], device: torch.device, lengths: Sequence[int] = ()
    ) -> dict[str, torch.Tensor]:
        """Return each input as a tensor of integers (rows x tokens of the longest row).

        Args:
            rows: At least one; each has the same inputs, lists of one length within a row.
            device: Where the tensors go.
            lengths: Rising; rows are filled up to the next of them where the longest row has another.

        Returns:
            The tensors by the inputs' names. `attention_mask` is added where the rows have none: 1 for a
            row's own tokens, 0 for the filling.
        """
        own = [len(row["input_ids"]) for row in rows]
        longest = next((length for length in lengths if length >= max(own)), max(own))
        columns: dict[str, list[list[int]]] = {
            name: [self._fill(row[name], longest, name) for row in rows] for name in rows[0]
        }
        if "attention_mask" not in columns:
            columns["attention_mask"] = [self._fill([1] * n, longest, "attention_mask") for n in own]
        # numpy reads lists of integers in a fifth of the time that torch takes.
        tensors = {name: torch.from_numpy(numpy.array(column)) for name, column in columns.items()}
        if device.type == "cpu":
            return tensors
        if device.type != "cuda":
            return {name: tensor.to(device) for name, tensor in tensors.items()}
        return {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in tensors.items()}

    def without(self, values: numpy.ndarray, pack: Sequence[Item]) -> list[numpy.ndarray]:
        """Cut the filling off what a model gave for a pack.

        Args:
            values: One row an item (rows x tokens x ...).
            pack: The items, whose `length` is their count of tokens.

        Returns:
            For each item, its own tokens' part (tokens x ...).
        """
        return [
            row[len(row) - item.length :] if self.left else row[: item.length]
            for row, item in zip(values, pack, strict=True)
        ]

    def _fill(self, row: list[int], length: int, name: str) -> list[int]:
        if len(row) == length:
            return row
        filling = [self.values.get(name, 0)] * (length - len(row))
        return filling + row if self.left else row + filling
