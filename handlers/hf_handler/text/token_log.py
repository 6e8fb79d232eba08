"""What is done with the scores of each token while a text is written: penalties, and notes of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import transformers


class Noted(NamedTuple):
    """A token that was written.

    Attributes:
        log_probability: Of this token at its place.
        likeliest: The tokens that were likeliest there, with theirs, best first.
    """

    log_probability: float
    likeliest: tuple[tuple[int, float], ...]


class Penalties(transformers.LogitsProcessor):  # type: ignore[misc]
    """Makes tokens less likely that were written before; the prompt's don't count.

    Args:
        frequency: Taken from a token's score for each time that it was written.
        presence: Taken from it once.

    As OpenAI's API describes them (https://platform.openai.com/docs/api-reference/completions/create).
    """

    def __init__(self, frequency: float, presence: float) -> None:
        self._frequency, self._presence = frequency, presence
        self._prompt: int | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores (rows x vocabulary) of the next token.

        Args:
            input_ids: Rows x tokens so far.
            scores: As the model gives them.
        """
        if self._prompt is None:
            self._prompt = input_ids.shape[1]
        written = input_ids[:, self._prompt :]
        times = torch.zeros_like(scores).scatter_add_(
            1, written, torch.ones_like(written, dtype=scores.dtype)
        )
        return scores - self._frequency * times - self._presence * (times > 0)


class TokenLog(transformers.LogitsProcessor):  # type: ignore[misc]
    """Notes how likely each token is that is written: after penalties, before temperature, top_k and top_p.

    Args:
        likeliest: How many of the likeliest tokens are noted at each place.
    """

    def __init__(self, likeliest: int) -> None:
        self._likeliest = likeliest
        self._steps: list[list[Noted]] = []
        self._scores: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Note what became of the scores before these, and return these as they are."""
        self.note(input_ids[:, -1])
        self._scores = scores.float().log_softmax(dim=-1)
        return scores

    def note(self, tokens: torch.Tensor) -> Sequence[Noted]:
        """Note the newest token of each row, if that is still to be done; returns what was noted last."""
        if self._scores is not None:
            chosen = self._scores.gather(1, tokens.to(self._scores.device)[:, None])[:, 0].tolist()
            best = self._scores.topk(min(self._likeliest, self._scores.shape[1]), dim=1)
            rows = zip(chosen, best.indices.tolist(), best.values.tolist(), strict=True)
            self._steps.append([Noted(own, tuple(zip(*others, strict=True))) for own, *others in rows])
            self._scores = None
        return self._steps[-1] if self._steps else ()

    def of_items(self, count: int) -> list[list[list[Noted]]]:
        """Return what was noted (items x sequences x tokens).

        Args:
            count: Of items, which have as many rows each.
        """
        rows = [list(row) for row in zip(*self._steps, strict=True)]
        each = len(rows) // count
        return [rows[each * item : each * (item + 1)] for item in range(count)]


def processors(penalties: tuple[float, float], log: TokenLog | None) -> Sequence[Any]:
    """Return what `generate` passes scores through, in this order."""
    return [*([Penalties(*penalties)] if any(penalties) else []), *([log] if log else [])]
