"""Tasks that make a text of a text, with an encoder and a decoder."""

from collections.abc import Sequence
from typing import Any, ClassVar

from hf_handler.items import Item, Query
from hf_handler.kinds.generation import GENERATION, GENERATION_ALIASES, GenerationTask
from hf_handler.schema import Parameters

# The part of an interface that says: a text, and how to write another.
FROM_A_TEXT: dict[str, Any] = {
    "parameters": GENERATION,
    "aliases": GENERATION_ALIASES,
    "example": {"inputs": "warm up", "parameters": {"max_new_tokens": 2}},
}


class SequenceToSequence(GenerationTask):
    """From one text to another; `task_specific_params` of the model's config count, as in the pipelines.

    Attributes:
        answer_name: The key of the text in the prediction.
    """

    auto_class = "AutoModelForSeq2SeqLM"
    before_models_own = True
    answer_name: ClassVar[str]

    def specific(self, parameters: Parameters) -> Parameters:
        """Return the model's `task_specific_params` for this task."""
        return self.specifics_of(self.name)

    def specifics_of(self, name: str) -> Parameters:
        """Return the model's `task_specific_params` of a name."""
        return dict((getattr(self.model.config, "task_specific_params", None) or {}).get(name) or {})

    def task_options(self, parameters: Parameters) -> Parameters:
        """Return what the model's config says of this task, but for the prefix."""
        return {key: value for key, value in self.specific(parameters).items() if key != "prefix"}

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Tokenize the texts, each behind the prefix the model was trained with."""
        prefix = getattr(self.model.config, "prefix", None) or ""
        texts = [
            [self.specific(query.parameters).get("prefix", prefix) + query.fields[self.interface.main]]
            for query in queries
        ]
        work = self.token_rows.encode(queries, texts)
        for items in work:
            for item in items:
                item.inputs = {"input_ids": item.inputs["input_ids"]}
        return work

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence."""
        return [{self.answer_name: text} for text in self.written(query, rows[0])]
