"""A model's tokenizer: loaded, and used to make tokens of texts."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from hf_handler.archive import Archive


def tokenize(
    tokenizer: Any, texts: Sequence[Any], max_length: int | None = None, truncation: str = "longest_first"
) -> list[dict[str, list[int]]]:
    """Tokenize texts and pairs of texts, unpadded, in one call.

    Args:
        tokenizer: Of transformers.
        texts: Each a `str` or, for a pair, a `tuple[str, str]`.
        max_length: Tokens of the longest row; what is longer is cut. None cuts nothing.
        truncation: Which text of a pair is cut; transformers' name.

    Returns:
        A row for each text, in order: `input_ids`, and `token_type_ids` where the model takes them, lists of
        one length.
    """
    names = [name for name in tokenizer.model_input_names if name in {"input_ids", "token_type_ids"}]
    if tokenizer.is_fast:
        # Called directly: for one short text, transformers' own code around this call doubles the time.
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


def load_tokenizer(archive: Archive, model: Any, folder: Path | None = None) -> Any:
    """Load a tokenizer that can pad; tells the model's config which token padding is.

    Args:
        archive: The model folder.
        model: Of transformers; some look for the last token of a row that is not padding.
        folder: Where the tokenizer's files are; the model folder itself when None.

    Raises:
        ValueError: There are no such files.
    """
    tokenizer = archive.processor(transformers.AutoTokenizer, folder)
    files = sorted({"tokenizer.json", *tokenizer.vocab_files_names.values()})
    if not any(((folder or archive.folder) / name).is_file() for name in files):
        # Without them transformers makes a tokenizer whose every word is unknown ([UNK]).
        raise ValueError(
            f"the archive has no tokenizer: none of {', '.join(files)}; "
            "fix: save the tokenizer into the model's folder, or package it with --tokenizer"
        )
    if tokenizer.pad_token is None:  # most decoders have none
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    return tokenizer


def positions_of(model: Any) -> int | None:
    """Return how many tokens a model of text has positions for; None when neither config nor layers tell.

    Of an encoder with a decoder, those of the decoder; of a model with pictures, those of its text part.
    """
    config = model.config.get_text_config(decoder=True)
    found = [getattr(config, "max_position_embeddings", None)]
    for name, module in model.named_modules():
        if name.rpartition(".")[2] == "position_embeddings" and isinstance(module, torch.nn.Embedding):
            # RoBERTa and models made after it give the first token the position behind the padding's index.
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            found.append(module.num_embeddings - first)
    return min((count for count in found if count), default=None)


def longest_row(model: Any, limit: int | None) -> int:
    """Return how many tokens one row may have: `limit`, or fewer where the model has fewer positions.

    Args:
        model: Of transformers.
        limit: What the operator set, or the tokenizer says; None sets no limit.
    """
    return min((count for count in (limit, positions_of(model)) if count), default=sys.maxsize)
