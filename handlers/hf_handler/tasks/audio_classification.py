"""audio-classification: the labels of a sound."""

from collections.abc import Sequence
from typing import Any

import transformers

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.audio import A_SOUND, AudioTask
from hf_handler.labels import FUNCTION, LABEL, NamedLabels, ranked_labels, scores_of
from hf_handler.schema import ALL_OR_COUNT, list_of
from hf_handler.tensors import shapes_of, tensors_of, together
from hf_handler.without_effect import BATCHES


class AudioClassification(AudioTask):
    """The `top_k` best labels of a sound."""

    name = "audio-classification"
    interface = Interface(
        **A_SOUND,
        parameters={
            "top_k": {**ALL_OR_COUNT, "default": 5},
            "function_to_apply": {**FUNCTION, "default": "default"},
            **BATCHES,
        },
        prediction=list_of(LABEL),
    )

    def load(self) -> None:
        """Load the model."""
        super().load()
        self.model = self.archive.model(transformers.AutoModelForAudioClassification)
        self.labels = NamedLabels(self.model.config.id2label)

    def items(self, query: Query) -> list[Item]:
        """The whole sound."""
        samples = self.sound(query)
        rate = self.extractor.sampling_rate
        inputs = tensors_of(
            self.extractor(samples, sampling_rate=rate, return_tensors="pt"), self.model.dtype
        )
        return [Item(inputs, max(1, 100 * len(samples) // rate), shapes_of(inputs, padded=False))]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Logits, a row an item."""
        batch = together([item.inputs for item in pack], self.device)
        return list(self.model(**batch).logits.float().cpu())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Labels and scores, best first."""
        function = query.parameters["function_to_apply"]
        if function == "default":
            kind = self.model.config.problem_type
            function = {"regression": "none", "multi_label_classification": "sigmoid"}.get(kind, "softmax")
        return ranked_labels(self.labels, scores_of(rows[0], function).tolist(), query.parameters["top_k"])
