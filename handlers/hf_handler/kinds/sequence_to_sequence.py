"""Tasks that make a text of a text, with an encoder and a decoder."""

from collections.abc import Sequence
from typing import Any, ClassVar

import transformers

from hf_handler.items import Item, Query
from hf_handler.schema import INPUT_TEXT, TEXT, Parameters, Refused, list_of, or_several, record
from hf_handler.task import Task
from hf_handler.text.generation_parameters import GENERATION, GENERATION_ALIASES, WRITTEN_TO
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import load_tokenizer
from hf_handler.text.writer import BUDGET, Writer
from hf_handler.toolkit_shape import Shape

# The part of an interface that says: a text, and how to write another.
FROM_A_TEXT: dict[str, Any] = {
    "fields": {"text": or_several(INPUT_TEXT)},
    "several": ("text",),
    "parameters": {**GENERATION, **WRITTEN_TO},
    "aliases": GENERATION_ALIASES,
    "example": {"inputs": "warm up", "parameters": {"max_new_tokens": 2}},
}


def answers(name: str) -> dict[str, Any]:
    """Return the part of an interface that says: texts by this name, as many as are asked for."""
    records = list_of(record({name: TEXT}))
    return {
        "prediction": records,
        "toolkit": Shape(prediction={"anyOf": [records, list_of(records)]}, several=flat),
    }


def flat(predictions: list[Any]) -> list[Any]:
    """Return the records of several texts in one list where each has one, as pipelines do."""
    if all(len(records) == 1 for records in predictions):
        return [record for (record,) in predictions]
    return predictions


class SequenceToSequence(Task):
    """From one text to another; `task_specific_params` of the model's config count, as in the pipelines.

    Attributes:
        answer_name: The key of the text in the prediction.
    """

    answer_name: ClassVar[str]
    budget = BUDGET

    def load(self) -> None:
        """Set `model`, `tokenizer`, `token_rows` and `writer`."""
        self.model = self.archive.model(transformers.AutoModelForSeq2SeqLM)
        self.tokenizer = load_tokenizer(self.archive, self.model)
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer, shortened_by="truncate")
        defaults = {"max_new_tokens": 256, "num_beams": 4}
        self.writer = Writer(self.model, self.tokenizer, defaults)

    def specific_name(self, parameters: Parameters) -> str:
        """Return the name under which the model's `task_specific_params` hold what is for this query."""
        return self.name

    def specific(self, parameters: Parameters) -> Parameters:
        """Return the model's `task_specific_params` for a query: options, and a `prefix` of the text."""
        of_tasks = getattr(self.model.config, "task_specific_params", None) or {}
        return of_tasks.get(self.specific_name(parameters)) or {}

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text; only those of equal plans share a pack."""
        work = self.prompts(queries)
        for query, items in zip(queries, work, strict=True):
            try:
                for item in items:
                    self.writer.plan(item, query.parameters, query.allowance, self.options(query, item))
            except Refused as error:
                query.failure = error
                items.clear()
        return work

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Tokenize the texts, each behind the prefix that is sent, else that the model was trained with."""
        prefix = getattr(self.model.config, "prefix", None) or ""
        texts = [
            [{"prefix": prefix, **self.specific(query.parameters), **query.parameters}["prefix"]
             + query.fields[self.interface.main]]
            for query in queries
        ]  # fmt: skip
        work = self.token_rows.encode(queries, texts)
        for items in work:
            for item in items:
                item.inputs = {"input_ids": item.inputs["input_ids"]}
        return work

    def options(self, query: Query, item: Item) -> Parameters:
        """Return what the model's config says of this task, but for the prefix; what is sent wins."""
        return {key: value for key, value in self.specific(query.parameters).items() if key != "prefix"}

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The tokens of each item's sequences."""
        batch = self.token_rows.batch(pack, self.device)
        return self.writer.write(pack, batch, self.device)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence; the first token of each is the one that a decoder begins with."""
        query.written = self.writer.count([tokens[1:] for tokens in rows[0]], query.parameters)
        return [{self.answer_name: text} for text in self.writer.texts(rows[0], query.parameters)]
