"""text-classification: the label of a text or a pair of texts."""

from collections.abc import Sequence
from typing import Any

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.labels import FUNCTION, LABEL, label_function, ranked_labels, scores_of
from hf_handler.schema import ALL_OR_COUNT, FLAG, INPUT_TEXT, Fields, list_of, or_several
from hf_handler.text.reading_parameters import READING, READING_ALIASES
from hf_handler.toolkit_shape import Shape


class TextClassification(EncoderTask):
    """One label of a text or a pair of texts, or the `top_k` best."""

    name = "text-classification"
    auto_class = "AutoModelForSequenceClassification"
    interface = Interface(
        fields={"text": or_several(INPUT_TEXT), "text_pair": or_several(INPUT_TEXT)},
        several=("text", "text_pair"),
        parameters={
            "top_k": ALL_OR_COUNT,
            "function_to_apply": FUNCTION,
            "return_all_scores": FLAG,
            **READING,
        },
        aliases=READING_ALIASES,
        toolkit=Shape(
            prediction=list_of({"anyOf": [LABEL, list_of(LABEL)]}),
            one=lambda query: query.prediction if isinstance(query.prediction, list) else [query.prediction],
        ),
        prediction={"anyOf": [LABEL, list_of(LABEL)]},
        example="good movie",
    )

    def load(self) -> None:
        """Load, and see what scores are made with."""
        super().load()
        self.labels = self.model.config.id2label
        self.function = label_function(self.model.config)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text or pair."""
        work = self.token_rows.encode(queries, [[one_or_pair(query.fields)] for query in queries])
        for query, items in zip(queries, work, strict=True):
            function = query.parameters.get("function_to_apply", "default")
            for item in items:
                item.group = self.function if function == "default" else function
        return work

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The score of each label, a row an item."""
        output, _ = self.forward(pack)
        rows: list[list[float]] = scores_of(output.logits, pack[0].group).tolist()
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The best label; a list when `top_k` asks how many, or `return_all_scores` for all, unsorted."""
        if "top_k" in query.parameters:
            return ranked_labels(self.labels, rows[0], query.parameters["top_k"])
        if query.parameters.get("return_all_scores"):
            return [{"label": self.labels[label], "score": score} for label, score in enumerate(rows[0])]
        best = max(range(len(rows[0])), key=rows[0].__getitem__)
        return {"label": self.labels[best], "score": rows[0][best]}


def one_or_pair(fields: Fields) -> Any:
    """Return the text, or the text and its pair as a tuple."""
    return (fields["text"], fields["text_pair"]) if "text_pair" in fields else fields["text"]
