"""Texts that have ended leave the batch: a model runs its next steps without them."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import torch
import transformers
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

# What decoders are called with at each step that has a row a text.
_BY_ROW = frozenset({"input_ids", "attention_mask", "position_ids", "token_type_ids"})
_LAYERS = (DynamicLayer, DynamicSlidingWindowLayer)


class Lengths(transformers.StoppingCriteria):  # type: ignore[misc]
    """Ends each row when it has as many new tokens as it may have.

    Args:
        prompt: Tokens of the prompts, padded.
        most: New tokens of each row.
        device: Where the rows are.
    """

    def __init__(self, prompt: int, most: Sequence[int], device: torch.device) -> None:
        self._most = torch.tensor(most, device=device) + prompt

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return for each row (rows x tokens so far) whether it ends."""
        return self._most <= input_ids.shape[1]


class Ended(transformers.StoppingCriteria):  # type: ignore[misc]
    """Ends rows as several criteria do, and at the tokens that end a text; remembers which have ended.

    Args:
        criteria: Each says of every row whether it ends.
        ends: Tokens that end a text.
        device: Where the rows are.

    Attributes:
        rows: Whether each row has ended; None before the first new token.
    """

    def __init__(self, criteria: Sequence[Any], ends: Collection[int], device: torch.device) -> None:
        self._criteria = criteria
        self._ends = torch.tensor(sorted(ends), dtype=torch.long, device=device)
        self.rows: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return for each row (rows x tokens so far) whether it has ended."""
        ended = torch.isin(input_ids[:, -1], self._ends)
        for criterion in self._criteria:
            ended = ended | criterion(input_ids, scores)
        self.rows = ended if self.rows is None else self.rows | ended
        return self.rows


@contextlib.contextmanager
def leaving(model: torch.nn.Module, ended: Ended) -> Iterator[None]:
    """Run a decoder's steps without the rows that have ended; `generate` sees all rows as ever.

    So whatever looks at the rows between two steps (scores, penalties, notes, streams), and what is drawn at
    random, is as if the model had run them all; the scores of a row that has ended are 0.

    Args:
        model: Of transformers. One whose steps take or keep what isn't known here runs all rows.
        ended: Given to `generate` as its criterion of stopping.
    """
    steps = _Steps(ended)
    hooks = (
        model.register_forward_pre_hook(steps.before, with_kwargs=True),
        model.register_forward_hook(steps.after),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Steps:
    """What is done before and after each step of a model."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._cached: torch.Tensor | None = None  # the numbers of the rows in the cache, once one has left

    def before(self, _model: Any, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        """Take the rows that have ended out of the cache and the inputs; None changes nothing."""
        ended = self._ended.rows
        if ended is None or not _by_row(inputs, len(ended)):
            return None
        rows = (~ended).nonzero()[:, 0].cpu()
        cached = torch.arange(len(ended)) if self._cached is None else self._cached
        if len(rows) < len(cached):
            inputs["past_key_values"].batch_select_indices(torch.isin(cached, rows).nonzero()[:, 0])
            self._cached = rows
        if self._cached is None:
            return None
        taken = {name: value[rows] for name, value in inputs.items() if isinstance(value, torch.Tensor)}
        return args, {**inputs, **taken}

    def after(self, _model: Any, _args: Any, output: Any) -> Any:
        """Put the scores back into the places of their rows."""
        if self._cached is not None and self._ended.rows is not None:
            logits = output.logits
            output.logits = logits.new_zeros((len(self._ended.rows), *logits.shape[1:]))
            output.logits[self._cached] = logits
        return output


def _by_row(inputs: Mapping[str, Any], rows: int) -> bool:
    """Whether a row can be taken out of all that a step is called with."""
    cache: Any = inputs.get("past_key_values")
    tensors = {name: value for name, value in inputs.items() if isinstance(value, torch.Tensor)}
    return (
        type(cache) is DynamicCache
        and all(type(layer) in _LAYERS for layer in cache.layers)
        and all(name in _BY_ROW and len(value) == rows for name, value in tensors.items())
    )
