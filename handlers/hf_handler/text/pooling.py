"""One vector for a text, made of its tokens' vectors as sentence-transformers' Pooling module does it."""

from collections.abc import Callable, Mapping
from typing import Any

import torch


def weighted_mean(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted average of each row's token vectors, `rows x size`.

    Args:
        hidden: Token vectors, `rows x tokens x size`.
        weights: `rows x tokens`; 0 for padding. A row whose sum is below 1 is divided by 1.
    """
    total = weights.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.bmm(weights.to(hidden.dtype).unsqueeze(1), hidden).squeeze(1) / total


def token_at(hidden: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """Return one token's vector of each row, `rows x size`.

    Args:
        hidden: Token vectors, `rows x tokens x size`.
        position: Index of the token, one a row.
    """
    return hidden[torch.arange(len(hidden), device=hidden.device), position]


# Each takes token vectors (rows x tokens x size) and the attention mask (rows x tokens); padding may stand on
# either side. Names, order of concatenation and meaning are those of sentence-transformers' Pooling module.
POOLING: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cls": lambda hidden, mask: token_at(hidden, mask.int().argmax(dim=1)),
    "max": lambda hidden, mask: hidden.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(dim=1),
    "mean": weighted_mean,
    "mean_sqrt_len_tokens": lambda hidden, mask: (
        weighted_mean(hidden, mask) * mask.sum(dim=1, keepdim=True).sqrt()
    ),
    "weightedmean": lambda hidden, mask: weighted_mean(hidden, mask.cumsum(dim=1) * mask),
    "lasttoken": lambda hidden, mask: token_at(hidden, mask.shape[1] - 1 - mask.int().flip(1).argmax(dim=1)),
}


# Older versions of sentence-transformers write these flags instead of `pooling_mode`. The vectors of several
# are concatenated in this order.
POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


def pooling_modes(config: Mapping[str, Any]) -> list[str]:
    """Return the modes that the config of a Pooling module names; `mean` when it names none.

    Raises:
        ValueError: It names a mode that is not in `POOLING`.
    """
    named = config.get("pooling_mode") or [mode for flag, mode in POOLING_FLAGS.items() if config.get(flag)]
    modes = [named] if isinstance(named, str) else list(named)
    unknown = [str(mode) for mode in modes if mode not in POOLING]
    if unknown:
        raise ValueError(
            f"unknown pooling modes: {', '.join(unknown)}; accepted: {', '.join(POOLING)}; "
            "fix: correct config.json of the Pooling module"
        )
    return modes or ["mean"]
