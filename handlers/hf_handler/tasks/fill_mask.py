"""fill-mask: the likeliest tokens for each mask of a text."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from hf_handler.bounds import REQUEST_ROWS
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.labels import LIST_OF_LABELS
from hf_handler.schema import (
    COUNT,
    INPUT_LABEL,
    INPUT_TEXT,
    SCORE,
    TEXT,
    Fields,
    Refused,
    Schema,
    list_of,
    or_several,
    record,
)
from hf_handler.text.reading_parameters import READING, READING_ALIASES

FILLING: Schema = record({"score": SCORE, "token": {"type": "integer"}, "token_str": TEXT, "sequence": TEXT})


class Wanted(NamedTuple):
    """What is wanted for each mask; the group of an item.

    Attributes:
        top_k: How many tokens.
        targets: The ids of the tokens to choose from; None: all.
    """

    top_k: int
    targets: tuple[int, ...] | None


class FillMask(EncoderTask):
    """The likeliest tokens for each mask of a text."""

    name = "fill-mask"
    auto_class = "AutoModelForMaskedLM"
    interface = Interface(
        fields={"text": or_several(INPUT_TEXT)},
        several=("text",),
        parameters={
            "top_k": {**COUNT, "default": 5},
            "targets": {"anyOf": [LIST_OF_LABELS, {**INPUT_LABEL, "minLength": 1}]},
            **READING,
        },
        aliases={"topk": "top_k", **READING_ALIASES},
        prediction={"anyOf": [list_of(FILLING), list_of(list_of(FILLING))]},
    )

    def load(self) -> None:
        """Load, and see what a mask is.

        Raises:
            ValueError: The tokenizer has none.
        """
        super().load()
        self.mask = self.tokenizer.mask_token_id
        if self.mask is None:
            raise ValueError("the tokenizer has no mask token; fix: package a masked language model")
        self.vocabulary = self.tokenizer.get_vocab()
        self.example = f"a {self.tokenizer.mask_token} b"

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text; those with equal parameters share packs."""
        work = self.token_rows.encode(queries, [[query.fields["text"]] for query in queries])
        for query, items in zip(queries, work, strict=True):
            for item in items:
                masks = item.inputs["input_ids"].count(self.mask)
                if not masks:
                    query.failure = Refused(
                        f"the text has no mask, {self.tokenizer.mask_token}, in what the model reads"
                    )
                    continue
                try:
                    targets = self._targets(query.parameters.get("targets"))
                    known = len(self.vocabulary if targets is None else targets)
                    query.allowance.take(REQUEST_ROWS, masks * min(query.parameters["top_k"], known) - 1)
                    item.group = Wanted(query.parameters["top_k"], targets)
                except Refused as error:
                    query.failure = error
        return [[] if query.failure else items for query, items in zip(queries, work, strict=True)]

    def _targets(self, targets: Any) -> tuple[int, ...] | None:
        """Return the ids of target words; of one that isn't in the vocabulary, of its first token."""
        if targets is None:
            return None
        ids: dict[int, None] = {}
        for target in [targets] if isinstance(targets, str) else targets:
            known = self.vocabulary.get(target)
            pieces = [known] if known is not None else self.tokenizer.encode(target, add_special_tokens=False)
            ids.update(dict.fromkeys(pieces[:1]))
        if not ids:
            raise Refused("targets must have a word that the tokenizer knows")
        return tuple(ids)

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The best scores and tokens of each mask (two lists, masks x top_k), a row an item."""
        output, batch = self.forward(pack)
        wanted: Wanted = pack[0].group
        rows, columns = (batch["input_ids"] == self.mask).nonzero(as_tuple=True)
        probabilities = output.logits[rows, columns].float().softmax(dim=-1)
        if wanted.targets is not None:
            chosen = torch.tensor(wanted.targets, device=probabilities.device)
            probabilities = probabilities[:, chosen]
        best = probabilities.topk(min(wanted.top_k, probabilities.shape[1]), dim=1)
        tokens = best.indices if wanted.targets is None else chosen[best.indices]
        results: list[tuple[list[Any], list[Any]]] = [([], []) for _ in pack]
        for row, scores, ids in zip(rows.tolist(), best.values.tolist(), tokens.tolist(), strict=True):
            results[row][0].append(scores)
            results[row][1].append(ids)
        return results

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """A list of fillings; of several masks, one list each."""
        ids = items[0].inputs["input_ids"]
        masks = [place for place, token in enumerate(ids) if token == self.mask]
        answers = []
        for place, scores, tokens in zip(masks, *rows[0], strict=True):
            answers.append([self._filling(ids, place, *best, len(masks) == 1)
                            for best in zip(scores, tokens, strict=True)])  # fmt: skip
        return answers[0] if len(answers) == 1 else answers

    def _filling(self, ids: list[Any], place: int, score: float, token: int, skip: bool) -> Fields:
        text = [*ids[:place], token, *ids[place + 1 :]]
        return {
            "score": score,
            "token": token,
            "token_str": self.tokenizer.decode([token]),
            "sequence": self.tokenizer.decode(
                [each for each in text if each != self.tokenizer.pad_token_id], skip_special_tokens=skip
            ),
        }
