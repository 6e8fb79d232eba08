"""What ends a text before its last token: a stop string, or that nobody waits for it any more."""

from collections.abc import Sequence
from typing import Any

import torch
import transformers

from hf_handler.waiting import Waiting

# The last tokens of a text are decoded behind these: some tokenizers write a text's first token otherwise.
_BEFORE = "abcdef"
_UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # what stands for a character some of whose bytes are missing


class StopStrings(transformers.StoppingCriteria):  # type: ignore[misc]
    """Ends a row whose last token completes one of some texts.

    As transformers' own criterion, which first compares every token of the vocabulary with every part of each
    text: 11 s for eight texts of 64 characters and 50,000 tokens. This one decodes the end of each row.

    Args:
        tokenizer: Of transformers.
        stop: The texts, at least one.
    """

    def __init__(self, tokenizer: Any, stop: Sequence[str]) -> None:
        self._tokenizer, self._stop = tokenizer, stop
        self._before = tokenizer.convert_ids_to_tokens(
            tokenizer(_BEFORE, add_special_tokens=False)["input_ids"]
        )
        self._start = len(tokenizer.convert_tokens_to_string(self._before))
        self._tokens = max(len(text.encode()) for text in stop) + 1  # a token has a byte at least

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return for each row (rows x tokens so far) whether it ends."""
        ends = [self._ends(row) for row in input_ids[:, -self._tokens :].tolist()]
        return torch.tensor(ends, device=input_ids.device)

    def _ends(self, row: list[int]) -> bool:
        text = self._text(row)
        found = [stop for stop in self._stop if stop in text]
        if not found:
            return False
        known = len(self._text(row[:-1]).rstrip(_UNFINISHED))  # what was complete before is the prompt's
        return any(text.find(stop, max(0, known - len(stop) + 1)) >= 0 for stop in found)

    def _text(self, row: list[int]) -> str:
        words = [word for word in self._tokenizer.convert_ids_to_tokens(row) if word is not None]
        text: str = self._tokenizer.convert_tokens_to_string([*self._before, *words])
        return text[self._start :]


class Unwanted(transformers.StoppingCriteria):  # type: ignore[misc]
    """Ends rows that nobody waits for any more; the others of the batch go on.

    Args:
        waiting: For the items of a batch. An item may have several rows.
    """

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self._waiting = waiting
        self._requests = set(waiting)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return for each row (rows x tokens so far) whether it ends."""
        rows = len(input_ids)
        ended = {request for request in self._requests if request.ended() is not None}
        if not ended:
            return torch.zeros(rows, dtype=torch.bool, device=input_ids.device)
        ends = [request in ended for request in self._waiting]
        each, rest = divmod(rows, len(ends))
        ends = [all(ends)] * rows if rest else [end for end in ends for _ in range(each)]
        return torch.tensor(ends, device=input_ids.device)


def stopping_early(
    waiting: Sequence[Waiting], tokenizer: Any = None, stop: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what `generate` is called with so that texts end which nobody waits for, and at stop strings.

    Args:
        waiting: For the items of a batch.
        tokenizer: Of the model; needed for stop strings.
        stop: Texts that end a text, the same for all items.
    """
    criteria: list[Any] = [Unwanted(waiting)]
    if stop:
        criteria.append(StopStrings(tokenizer, stop))
    return {"stopping_criteria": transformers.StoppingCriteriaList(criteria)}
