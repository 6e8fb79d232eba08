"""zero-shot-classification: how well each of the labels sent fits a text."""

from collections.abc import Sequence
from typing import Any

import torch

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.labels import CANDIDATE_LABELS, LABEL_ALIASES, list_labels
from hf_handler.schema import FLAG, INPUT_LABEL, INPUT_TEXT, SCORE, TEXT, list_of, or_several, record
from hf_handler.text.reading_parameters import READING, READING_ALIASES


class ZeroShotClassification(EncoderTask):
    """How well each label fits a text, by a model of entailment: a row of work for each label."""

    name = "zero-shot-classification"
    auto_class = "AutoModelForSequenceClassification"
    truncation = "only_first"
    interface = Interface(
        fields={"text": or_several(INPUT_TEXT)},
        several=("text",),
        parameters={
            "candidate_labels": CANDIDATE_LABELS,
            "multi_label": {**FLAG, "default": False},
            "hypothesis_template": {**INPUT_LABEL, "default": "This example is {}."},
            **READING,
        },
        aliases={
            "sequence": "text",
            "sequences": "text",
            "multi_class": "multi_label",
            **LABEL_ALIASES,
            **READING_ALIASES,
        },
        prediction=record({"sequence": TEXT, "labels": list_of(TEXT), "scores": list_of(SCORE)}),
        example={"text": "good movie", "candidate_labels": ["film", "food"]},
    )

    def load(self) -> None:
        """Load, and find the label that stands for entailment.

        Raises:
            ValueError: There is none.
        """
        super().load()
        ids = [
            index for label, index in self.model.config.label2id.items() if label.lower().startswith("entail")
        ]
        if not ids:
            raise ValueError(
                f"no label of the model begins with 'entail': {', '.join(self.model.config.label2id)}; "
                "fix: package a model of natural language inference, or name its labels in config.json"
            )
        self.entailment = ids[0]
        self.contradiction = -1 if self.entailment == 0 else 0

    def fit_to_model(self, query: Query) -> None:
        """Make a list of the labels."""
        list_labels(query, self.interface.parameters["candidate_labels"])

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a label."""
        return self.token_rows.encode(queries, [
            [(query.fields["text"], query.parameters["hypothesis_template"].replace("{}", label))
             for label in query.parameters["candidate_labels"]]
            for query in queries
        ])  # fmt: skip

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The logits of contradiction and entailment, a row an item."""
        output, _ = self.forward(pack)
        rows: list[list[float]] = output.logits[:, [self.contradiction, self.entailment]].float().tolist()
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The labels, likeliest first: each against its contradiction, or all against each other."""
        labels = query.parameters["candidate_labels"]
        logits = torch.tensor(rows)
        alone = query.parameters["multi_label"] or len(labels) == 1
        scores = (logits.softmax(dim=1)[:, 1] if alone else logits[:, 1].softmax(dim=0)).tolist()
        order = sorted(range(len(labels)), key=lambda index: -scores[index])
        return {
            "sequence": query.fields["text"],
            "labels": [labels[index] for index in order],
            "scores": [scores[index] for index in order],
        }
