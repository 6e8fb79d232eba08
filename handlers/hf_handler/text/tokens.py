"""Token rows: made of texts, padded to a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
import transformers

from hf_handler.archive import Archive
from hf_handler.items import Item


def tokenize(
    tokenizer: Any, texts: Sequence[Any], max_length: int | None = None, truncation: str = "longest_first"
) -> list[dict[str, list[int]]]:
    """Tokenize texts and pairs of texts (tuples), unpadded, in order, in one call.

    Args:
        tokenizer: Of transformers.
        texts: `str` or `tuple[str, str]`.
        max_length: Where to cut; None cuts nothing.
        truncation: Which of a pair is cut.

    Returns:
        `input_ids`, and `token_type_ids` where the model takes them; a row a text.
    """
    names = [name for name in tokenizer.model_input_names if name in {"input_ids", "token_type_ids"}]
    if tokenizer.is_fast:
        # The backend itself: transformers' call around it takes as long again for one short text.
        backend = tokenizer.backend_tokenizer
        if max_length is not None:
            backend.enable_truncation(max_length, strategy=truncation)
        elif backend.truncation is not None:
            backend.no_truncation()
        if backend.padding is not None:
            backend.no_padding()
        encodings = backend.encode_batch_fast(texts)
        if names == ["input_ids"]:
            return [{"input_ids": encoding.ids} for encoding in encodings]
        return [{"input_ids": encoding.ids, "token_type_ids": encoding.type_ids} for encoding in encodings]
    rows = []
    for text in texts:
        pair = text if isinstance(text, tuple) else (text,)
        cut = {"truncation": truncation, "max_length": max_length} if max_length else {"truncation": False}
        encoded = tokenizer(*pair, verbose=False, **cut)
        rows.append({name: list(encoded[name]) for name in names})
    return rows


@dataclass(frozen=True)
class Padding:
    """Makes tensors of token rows, padded to the longest.

    Attributes:
        values: What each input is padded with.
        left: Whether padding comes first.
    """

    values: dict[str, int]
    left: bool

    @classmethod
    def of(cls, tokenizer: Any) -> "Padding":
        """Pad as a tokenizer would."""
        types = getattr(tokenizer, "pad_token_type_id", 0)
        values = {"input_ids": tokenizer.pad_token_id or 0, "attention_mask": 0, "token_type_ids": types}
        return cls(values, tokenizer.padding_side == "left")

    def __call__(
        self, rows: Sequence[Mapping[str, list[int]]], device: torch.device
    ) -> dict[str, torch.Tensor]:
        """Return each input as a tensor (rows x tokens) on `device`, with an attention mask."""
        lengths = [len(row["input_ids"]) for row in rows]
        longest = max(lengths)
        columns: dict[str, list[list[int]]] = {
            name: [self._fill(row[name], longest, name) for row in rows] for name in rows[0]
        }
        if "attention_mask" not in columns:
            columns["attention_mask"] = [self._fill([1] * n, longest, "attention_mask") for n in lengths]
        pinned = device.type == "cuda"
        return {
            name: torch.tensor(column, pin_memory=pinned).to(device, non_blocking=pinned)
            for name, column in columns.items()
        }

    def without(self, values: numpy.ndarray, pack: Sequence[Item]) -> list[numpy.ndarray]:
        """Return the part of each row (rows x tokens x ...) that is no padding."""
        return [
            row[len(row) - item.length :] if self.left else row[: item.length]
            for row, item in zip(values, pack, strict=True)
        ]

    def _fill(self, row: list[int], length: int, name: str) -> list[int]:
        if len(row) == length:
            return row
        filling = [self.values.get(name, 0)] * (length - len(row))
        return filling + row if self.left else row + filling


def load_tokenizer(
    archive: Archive, model: Any, max_length: int | None = None, folder: Path | None = None
) -> Any:
    """Load a tokenizer that pads; its `model_max_length` is what the model takes, `max_length` at most."""
    tokenizer = archive.processor(transformers.AutoTokenizer, folder)
    files = sorted({"tokenizer.json", *tokenizer.vocab_files_names.values()})
    if not any(((folder or archive.folder) / name).is_file() for name in files):
        # transformers makes one that knows no word, and everything would be answered as [UNK].
        raise ValueError(
            f"the archive has no tokenizer: none of {', '.join(files)}; "
            "fix: save the tokenizer into the model's folder, or package it with --tokenizer"
        )
    if tokenizer.pad_token is None:  # decoders, as a rule
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    limits = [max_length or tokenizer.model_max_length]
    limits.append(getattr(model.config, "max_position_embeddings", None) or limits[0])
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            # RoBERTa and its kin count positions from the padding index on.
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            limits.append(module.num_embeddings - first)
    tokenizer.model_max_length = min(limits)
    return tokenizer
