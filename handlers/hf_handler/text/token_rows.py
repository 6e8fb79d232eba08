"""Items made of texts, for models that read rows of tokens."""

from collections.abc import Sequence
from typing import Any

import torch

from hf_handler.archive import Archive
from hf_handler.items import Item, Query
from hf_handler.schema import Refused
from hf_handler.text.admission import admit
from hf_handler.text.padding import Padding
from hf_handler.text.reading_parameters import STRATEGIES, may_be_cut
from hf_handler.text.tokens import longest_row, tokenize


class TokenRows:
    """Makes items of texts, and a model's inputs of items. Texts that are too long are cut or refused.

    Args:
        archive: Its settings say how long a row may be, and whether a longer text is cut or refused.
        model: Of transformers; what it has positions for limits a row.
        tokenizer: Of transformers. Its `model_max_length` becomes `limit`.
        max_length: Tokens of the longest row where the operator sets none; the tokenizer's own when None.
        truncation: Which text of a pair is cut; transformers' name.
        shortened_by: The parameter with which a client asks for shorter rows.

    Attributes:
        tokenizer: As given.
        limit: Tokens of the longest row.
        pad: Makes tensors (rows x tokens) of rows, padded as the tokenizer says when this is made.
        lengths: What rows of a batch are filled up to; empty: the longest of them.
    """

    def __init__(
        self,
        archive: Archive,
        model: Any,
        tokenizer: Any,
        max_length: int | None = None,
        truncation: str = "longest_first",
        shortened_by: str = "max_length",
    ) -> None:
        self.tokenizer = tokenizer
        wanted = archive.settings.max_length or max_length or tokenizer.model_max_length
        self.limit = tokenizer.model_max_length = longest_row(model, wanted)
        self.pad = Padding.of(tokenizer)
        self.lengths: Sequence[int] = ()
        self._cuts = archive.settings.truncation == "truncate"
        self._truncation, self._shortened_by = truncation, shortened_by

    def encode(self, queries: Sequence[Query], texts: Sequence[Sequence[Any]]) -> list[list[Item]]:
        """Tokenize the texts of each query, all of them in one call.

        A text that is longer than `limit` is cut and its query's `truncated` set, or the query fails (422);
        see `may_cut`.

        Args:
            queries: Some may have failed before.
            texts: For each query, its texts: a `str` each or, for a pair, a `tuple[str, str]`.

        Returns:
            For each query an item a text: `inputs` as `tokenize` gives them, `length` in tokens. None for a
            query that failed.
        """
        admit(queries, texts)
        texts = [() if query.failure else several for query, several in zip(queries, texts, strict=True)]
        rows = iter(tokenize(self.tokenizer, [text for several in texts for text in several]))
        work: list[list[Item]] = []
        for query, several in zip(queries, texts, strict=True):
            items = []
            for text in several:
                row = next(rows)
                if len(row["input_ids"]) > self.limit_of(query) and query.failure is None:
                    row = self._cut(query, text, row)
                items.append(Item(row, len(row["input_ids"])))
                query.tokens += len(row["input_ids"])
            work.append([] if query.failure else items)
        return work

    def limit_of(self, query: Query) -> int:
        """Return how many tokens a row of a query may have: `limit`, or fewer where it asks for fewer."""
        asked: int = query.parameters.get(self._shortened_by, self.limit)
        return min(asked, self.limit)

    def may_cut(self, query: Query, tokens: int) -> bool:
        """Say whether a text that is too long may be cut; the query's `truncation` wins over the operator's.

        Sets the query's `truncated` when it may be, else its `failure`.

        Args:
            query: Whose text it is.
            tokens: Length of the text.
        """
        if not may_be_cut(query.parameters, self._cuts):
            limit = self.limit_of(query)
            who = "the model takes" if limit == self.limit else f"{self._shortened_by} is"
            query.failure = Refused(f"the text has {tokens} tokens, {who} {limit}", 422)
            return False
        query.truncated = True
        return True

    def batch(self, pack: Sequence[Item], device: torch.device) -> dict[str, torch.Tensor]:
        """Return the inputs (rows x tokens) of a model for a pack, on `device`."""
        return self.pad([item.inputs for item in pack], device, self.lengths)

    def _cut(self, query: Query, text: Any, row: dict[str, list[int]]) -> dict[str, list[int]]:
        if not self.may_cut(query, len(row["input_ids"])):
            return row
        limit, wanted = self.limit_of(query), query.parameters.get("truncation")
        strategy = wanted if wanted in STRATEGIES else self._truncation
        special = self.tokenizer.num_special_tokens_to_add(pair=isinstance(text, tuple))
        try:
            if limit > special:
                return tokenize(self.tokenizer, [text], limit, strategy)[0]
        except Exception:  # tokenizers has no exception of its own: the text to cut has too few tokens
            query.failure = Refused(f"no text can be cut so that {limit} tokens are left", 422)
            return row
        query.failure = Refused(
            f"{self._shortened_by} must exceed {special}, the tokens that the model adds; got {limit}", 422
        )
        return row
