"""token-classification: the entities of a text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from hf_handler.bounds import LABELS
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.schema import (
    COUNT,
    FLAG,
    INPUT_LABEL,
    INPUT_TEXT,
    SCORE,
    TEXT,
    WHOLE,
    Fields,
    Parameters,
    Refused,
    Schema,
    list_of,
    or_several,
    record,
)
from hf_handler.text.admission import admit
from hf_handler.text.reading_parameters import READING, READING_ALIASES
from hf_handler.text.windows import Cut, windows

PLACE: Schema = {"anyOf": [{"type": "integer"}, {"type": "null"}]}


ENTITY: Schema = record(
    {"score": SCORE, "word": TEXT, "start": PLACE, "end": PLACE},
    {"entity": TEXT, "entity_group": TEXT, "index": COUNT},
)


@dataclass(slots=True)
class Token:
    """A token with the scores of its labels.

    Attributes:
        word: As the vocabulary has it; an unknown one as the text has it.
        scores: One a label.
        start: Where it begins in the text, in characters; None when the tokenizer doesn't tell.
        end: Where it ends.
        index: Its place in the row; counts special tokens.
        continues: Whether it goes on with the word of the token before.
    """

    word: str
    scores: numpy.ndarray
    start: int | None
    end: int | None
    index: int
    continues: bool


class TokenClassification(EncoderTask):
    """The entities of a text, a token each or grouped, as transformers' pipeline gives them."""

    name = "token-classification"
    auto_class = "AutoModelForTokenClassification"
    interface = Interface(
        fields={"text": or_several(INPUT_TEXT)},
        several=("text",),
        parameters={
            "aggregation_strategy": {"type": "string", "enum": ["none", "simple", "first", "average", "max"]},
            # What transformers had before `aggregation_strategy`.
            "grouped_entities": FLAG,
            "ignore_subwords": FLAG,
            "ignore_labels": {**list_of(INPUT_LABEL), "maxItems": LABELS, "default": ["O"]},
            "stride": WHOLE,
            **READING,
        },
        aliases=READING_ALIASES,
        prediction=list_of(ENTITY),
        example="Anna lives in Berlin",
    )

    def load(self) -> None:
        """Load, and see how the tokenizer marks parts of words."""
        super().load()
        self.labels = self.model.config.id2label
        backend = self.tokenizer.backend_tokenizer if self.tokenizer.is_fast else None
        self.marks_subwords = bool(
            getattr(getattr(backend, "model", None), "continuing_subword_prefix", None)
        )

    def fit_to_model(self, query: Query) -> None:
        """Work out the strategy, and refuse what the tokenizer can't do."""
        strategy, stride = strategy_of(query.parameters), query.parameters.get("stride")
        query.parameters = {**query.parameters, "aggregation_strategy": strategy}
        if not self.tokenizer.is_fast and (stride is not None or strategy not in {"none", "simple"}):
            raise Refused(
                "this model's tokenizer tells no offsets: no stride, aggregation_strategy none or simple"
            )
        if stride is not None and strategy == "none":
            raise Refused("stride needs an aggregation_strategy other than none")
        room = self.token_rows.limit_of(query) - self.tokenizer.num_special_tokens_to_add()
        if stride is not None and stride >= room:
            raise Refused(f"stride must be below {room}, got {stride}")

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text, or a window each `stride` apart."""
        texts = [(query.fields["text"],) for query in queries]
        strides = [query.parameters.get("stride") for query in queries]
        special = self.tokenizer.num_special_tokens_to_add()
        admit(queries, [[text] for text in texts])
        cuts = [
            Cut(limit, stride or 0, max(1, limit - special - (stride or 0)))
            for limit, stride in zip(map(self.token_rows.limit_of, queries), strides, strict=True)
        ]
        work = windows(self.tokenizer, queries, texts, cuts)
        for query, stride, items in zip(queries, strides, work, strict=True):
            if stride is None and len(items) > 1:
                tokens = sum(item.length - special for item in items) + special
                del items[1:]
                if not self.token_rows.may_cut(query, tokens):
                    items.clear()
        return work

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The probability of each label (tokens x labels), a row an item."""
        output, _ = self.forward(pack)
        return self.token_rows.pad.without(output.logits.float().softmax(dim=-1).cpu().numpy(), pack)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The entities of all windows; of two that overlap, the longer one, then the likelier."""
        ignored = query.parameters["ignore_labels"]
        entities: list[Fields] = []
        for item, scores in zip(items, rows, strict=True):
            tokens = self._tokens(query.fields["text"], item.source, scores)
            entities += self._entities(tokens, query.parameters["aggregation_strategy"])
        entities = [
            entity for entity in entities
            if entity.get("entity") not in ignored and entity.get("entity_group") not in ignored
        ]  # fmt: skip
        return without_overlaps(entities) if len(items) > 1 else entities

    def _tokens(self, text: str, encoding: Any, scores: numpy.ndarray) -> list[Token]:
        tokens = []
        for index, (word, special) in enumerate(
            zip(encoding.tokens, encoding.special_tokens_mask, strict=True)
        ):
            if special:
                continue
            start, end = encoding.offsets[index] if encoding.offsets else (None, None)
            continues = False
            if start is not None:
                if encoding.ids[index] == self.tokenizer.unk_token_id:
                    word = text[start:end]  # noqa: PLW2901
                elif self.marks_subwords:
                    continues = len(word) != end - start
                else:
                    continues = start > 0 and " " not in text[start - 1 : start + 1]
            tokens.append(Token(word, scores[index], start, end, index, continues))
        return tokens

    def _entities(self, tokens: list[Token], strategy: str) -> list[Fields]:
        if strategy in {"none", "simple"}:
            entities = [self._entity([token], token.scores) | {"index": token.index, "word": token.word}
                        for token in tokens]  # fmt: skip
            return entities if strategy == "none" else self._groups(entities)
        words: list[list[Token]] = []
        for token in tokens:
            if words and token.continues:
                words[-1].append(token)
            else:
                words.append([token])
        choose: dict[str, Callable[[list[Token]], numpy.ndarray]] = {
            "first": lambda word: word[0].scores,
            "max": lambda word: max(word, key=lambda token: token.scores.max()).scores,
            "average": lambda word: numpy.nanmean([token.scores for token in word], axis=0),
        }
        return self._groups([self._entity(word, choose[strategy](word)) for word in words])

    def _entity(self, word: list[Token], scores: numpy.ndarray) -> Fields:
        best = int(scores.argmax())
        return {
            "entity": self.labels[best],
            "score": float(scores[best]),
            "word": self.tokenizer.convert_tokens_to_string([token.word for token in word]),
            "start": word[0].start,
            "end": word[-1].end,
        }  # fmt: skip

    def _groups(self, entities: list[Fields]) -> list[Fields]:
        """Join neighbours of one tag; `B-` begins a new entity."""
        groups: list[list[Fields]] = []
        for entity in entities:
            tag = tag_of(entity["entity"])
            if groups and tag == tag_of(groups[-1][-1]["entity"]) and not entity["entity"].startswith("B-"):
                groups[-1].append(entity)
            else:
                groups.append([entity])
        return [
            {
                "entity_group": group[0]["entity"].split("-", 1)[-1],
                "score": float(numpy.nanmean([entity["score"] for entity in group])),
                "word": self.tokenizer.convert_tokens_to_string([entity["word"] for entity in group]),
                "start": group[0]["start"],
                "end": group[-1]["end"],
            }
            for group in groups
        ]


def strategy_of(parameters: Parameters) -> str:
    """Return how tokens are joined: by name, else as the two flags say that were there before the names."""
    if parameters.get("grouped_entities"):
        named = "first" if parameters.get("ignore_subwords") else "simple"
    else:
        named = "none"
    strategy: str = parameters.get("aggregation_strategy", named)
    return strategy


def tag_of(label: str) -> str:
    """Return a label without the `B-` or `I-` that says where in an entity it stands."""
    return label[2:] if label.startswith(("B-", "I-")) else label


def without_overlaps(entities: list[Fields]) -> list[Fields]:
    """Keep the longer of two entities that overlap; the likelier of two of one length."""
    kept: list[Fields] = []
    for entity in sorted(entities, key=lambda entity: entity["start"]):
        if kept and kept[-1]["start"] <= entity["start"] < kept[-1]["end"]:
            sizes = [(each["end"] - each["start"], each["score"]) for each in (entity, kept[-1])]
            if sizes[0] > sizes[1]:
                kept[-1] = entity
        else:
            kept.append(entity)
    return kept
