"""text-ranking: how well texts answer a query."""

from collections.abc import Sequence
from typing import Any

from hf_handler.archive import read_json
from hf_handler.bounds import REQUEST_ROWS
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.labels import FUNCTION, scores_of
from hf_handler.schema import (
    COUNT,
    FLAG,
    INPUT_TEXT,
    INPUT_TEXTS,
    SCORE,
    TEXT,
    Fields,
    Refused,
    Schema,
    list_of,
    record,
)
from hf_handler.text.reading_parameters import READING, READING_ALIASES
from hf_handler.toolkit_shape import Shape

PAIR: Schema = {**list_of(INPUT_TEXT), "minItems": 2, "maxItems": 2}
RANKED: Schema = list_of(record({"index": {"type": "integer"}, "score": SCORE}, {"text": TEXT}))


def is_one_pair(fields: Fields) -> bool:
    """Say whether an instance is a pair of texts, not a list of pairs or a query with its texts."""
    return "text" in fields or ("pairs" in fields and isinstance(fields["pairs"][0], str))


class TextRanking(EncoderTask):
    """How well texts answer a query, by a cross-encoder."""

    name = "text-ranking"
    auto_class = "AutoModelForSequenceClassification"
    interface = Interface(
        fields={
            "pairs": {"anyOf": [{**list_of(PAIR), "minItems": 1, "maxItems": REQUEST_ROWS}, PAIR]},
            "query": INPUT_TEXT,
            "texts": INPUT_TEXTS,
            "text": INPUT_TEXT,
            "text_pair": INPUT_TEXT,
        },
        forms=(("pairs",), ("query", "texts"), ("text", "text_pair")),
        parameters={
            "return_documents": {**FLAG, "default": False},
            "top_k": COUNT,
            "function_to_apply": FUNCTION,
            "raw_scores": FLAG,
            **READING,
        },
        aliases={
            "sentences": "pairs",
            "documents": "texts",
            "passages": "texts",
            "return_text": "return_documents",
            "top_n": "top_k",
            **READING_ALIASES,
        },
        prediction={
            "anyOf": [
                RANKED,
                record({"scores": list_of(SCORE)}),
            ]
        },
        example={"query": "a movie", "texts": ["a film", "bread"]},
        toolkit=Shape(
            prediction={
                "anyOf": [RANKED, record({"scores": SCORE}), record({"scores": list_of(SCORE)})],
            },
            one=lambda query: (
                {"scores": query.prediction["scores"][0]} if is_one_pair(query.fields) else query.prediction
            ),
        ),
    )

    def load(self) -> None:
        """Load, and see what scores are made with.

        Raises:
            ValueError: The model has more labels than one.
        """
        super().load()
        if self.model.config.num_labels != 1:
            raise ValueError(
                f"text-ranking needs a model of one label, this one has {self.model.config.num_labels}; "
                "fix: set handler.task to text-classification or zero-shot-classification"
            )
        named = read_json(self.archive.folder / "config_sentence_transformers.json").get("activation_fn") or (
            read_json(self.archive.folder / "config.json").get("sentence_transformers") or {}
        ).get("activation_fn")
        self.function = "none" if str(named).endswith("Identity") else "sigmoid"

    def is_one(self, inputs: list[Any]) -> bool:
        """A pair of texts is one instance, and so is a list of pairs."""
        return all(isinstance(entry, str) for entry in inputs) or all(
            isinstance(entry, list) for entry in inputs
        )

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a pair."""
        work = self.token_rows.encode(queries, [self._pairs(query.fields) for query in queries])
        for query, items in zip(queries, work, strict=True):
            usual = "none" if query.parameters.get("raw_scores") else self.function
            function = query.parameters.get("function_to_apply", "default")
            for item in items:
                item.group = usual if function == "default" else function
        return work

    @staticmethod
    def _pairs(fields: Fields) -> list[tuple[str, str]]:
        if "query" in fields:
            return [(fields["query"], text) for text in fields["texts"]]
        if "text" in fields:
            return [(fields["text"], fields["text_pair"])]
        pairs = fields["pairs"]
        return [tuple(pairs)] if isinstance(pairs[0], str) else [tuple(pair) for pair in pairs]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """One score an item."""
        output, _ = self.forward(pack)
        if pack[0].group == "softmax":
            raise Refused(
                "function_to_apply softmax makes 1 of any one score; accepted: default, sigmoid, none"
            )
        scores: list[float] = scores_of(output.logits[:, 0], pack[0].group).tolist()
        return scores

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Of a query and texts the ranking, best first; of pairs their scores."""
        if "query" not in query.fields:
            return {"scores": rows}
        order = sorted(range(len(rows)), key=lambda index: -rows[index])[: query.parameters.get("top_k")]
        texts = query.fields["texts"]
        with_text = query.parameters["return_documents"]
        return [
            {"index": index, "score": rows[index]} | ({"text": texts[index]} if with_text else {})
            for index in order
        ]
