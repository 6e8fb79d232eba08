"""table-question-answering: the cells of a table that answer a question."""

from collections.abc import Mapping, Sequence
from typing import Any

import transformers

from hf_handler.allowance import UNLIMITED, Allowance
from hf_handler.bounds import TABLE_COLUMNS, TABLE_ROWS
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.optional import need
from hf_handler.schema import (
    FLAG,
    INPUT_TEXT,
    NUMBER,
    TEXT,
    Parameters,
    Refused,
    Schema,
    list_of,
    or_several,
    record,
)
from hf_handler.task import Task
from hf_handler.text.admission import count_texts
from hf_handler.text.reading_parameters import NOT_CUT, may_be_cut
from hf_handler.text.tokens import longest_row
from hf_handler.without_effect import PADDED

CELL: Schema = {"anyOf": [INPUT_TEXT, NUMBER]}


COLUMNS: Schema = {
    "type": "object",
    "additionalProperties": {**list_of(CELL), "maxItems": TABLE_ROWS},
    "maxProperties": TABLE_COLUMNS,
}


ROW: Schema = {"type": "object", "additionalProperties": CELL, "maxProperties": TABLE_COLUMNS}
ROWS: Schema = {**list_of(ROW), "minItems": 1, "maxItems": TABLE_ROWS}


ROWS_DROPPED = "drop_rows_to_fit"


class TableQuestionAnswering(Task):
    """The cells of a table that answer a question, by a TAPAS model; needs pandas."""

    name = "table-question-answering"
    interface = Interface(
        fields={"query": or_several(INPUT_TEXT), "table": {"anyOf": [COLUMNS, ROWS]}},
        forms=(("query", "table"),),
        several=("query",),
        parameters={
            "sequential": FLAG,
            "truncation": {"anyOf": [FLAG, {"type": "string", "enum": [ROWS_DROPPED, NOT_CUT]}]},
            **PADDED,
        },
        aliases={"question": "query"},
        prediction=record(
            {"answer": TEXT, "coordinates": list_of(list_of({"type": "integer"})), "cells": list_of(TEXT)},
            {"aggregator": TEXT},
        ),
        example={"query": "how many", "table": {"name": ["Anna"], "price": ["10"]}},
    )

    def load(self) -> None:
        """Load the model, its tokenizer and pandas."""
        self.pandas = need("pandas", self.name)
        self.model = self.archive.model(transformers.AutoModelForTableQuestionAnswering)
        self.tokenizer = self.archive.processor(transformers.AutoTokenizer)
        # Not the tokenizer's limit: tables count positions anew in each cell, so models take longer ones.
        self.limit = longest_row(self.model, self.archive.settings.max_length)
        self.aggregations: Mapping[int, str] = getattr(self.model.config, "aggregation_labels", None) or {}

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a question, not padded: each token of a table has seven types."""
        work: list[list[Item]] = []
        for query in queries:
            try:
                table = self._table(query.fields["table"])
                count_texts(query, [(query.fields["query"], query.fields["table"])])
                inputs = self._tokenized(query, table)
                work.append([Item(inputs, inputs["input_ids"].shape[1], source=table)])
            except Refused as error:
                query.failure = error
                work.append([])
        return work

    def read(
        self,
        instance: Any,
        parameters: Parameters,
        allowance: Allowance = UNLIMITED,
        is_body: bool = False,
    ) -> Query:
        """Read an instance.

        Raises:
            Refused: As any task does; or its questions are to build on each other.
        """
        query = super().read(instance, parameters, allowance, is_body)
        if query.parameters.get("sequential") and len(query.parts) > 1:
            raise Refused("sequential takes one query: of several each is answered by itself")
        return query

    def _tokenized(self, query: Query, table: Any) -> Any:
        """Return the tokens of a question and its table, without the last rows where they may be dropped.

        Raises:
            Refused: They are more than the model takes.
        """
        drops = may_be_cut(query.parameters, False)
        if table.size > self.limit and not drops:  # an empty cell is a token, too
            raise Refused(
                f"the table has {table.size} cells, the model takes {self.limit} tokens in all", 422
            )
        inputs = self.tokenizer(table=table, queries=query.fields["query"], return_tensors="pt")
        length = inputs["input_ids"].shape[1]
        if length > self.limit and drops:
            query.truncated = True
            try:
                inputs = self.tokenizer(
                    table=table, queries=query.fields["query"], return_tensors="pt",
                    truncation=ROWS_DROPPED, max_length=self.limit,
                )  # fmt: skip
            except ValueError as error:  # the question alone is too long
                raise Refused(f"no row of the table fits: {str(error)[:200]}", 422) from None
            length = inputs["input_ids"].shape[1]
        if length > self.limit:
            raise Refused(f"question and table have {length} tokens, the model takes {self.limit}", 422)
        return inputs

    def _table(self, table: Any) -> Any:
        if isinstance(table, list):
            names = list(table[0])
            if any(list(row) != names for row in table):
                raise Refused("every row of table must have the same columns, in one order")
            table = {name: [row[name] for row in table] for name in names}
        if (
            not table
            or len({len(column) for column in table.values()}) != 1
            or not next(iter(table.values()))
        ):
            raise Refused("table must have columns of one length, at least 1")
        return self.pandas.DataFrame({name: [str(cell) for cell in column] for name, column in table.items()})

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The logits of cells and of aggregations, a row an item."""
        rows = []
        for item in pack:
            output = self.model(**item.inputs.to(self.device))
            rows.append((output.logits.float().cpu(), output.logits_aggregation))
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The cells, and what is to be done with them."""
        logits, aggregation = rows[0]
        table, inputs = items[0].source, items[0].inputs.to("cpu")
        if self.aggregations and aggregation is not None:
            places, chosen = self.tokenizer.convert_logits_to_predictions(
                inputs, logits, aggregation.float().cpu()
            )
            number = chosen[0]
        else:
            (places,) = self.tokenizer.convert_logits_to_predictions(inputs, logits)
            number = None
        cells = [table.iat[place] for place in places[0]]
        answer = {
            "answer": ", ".join(cells),
            "coordinates": [list(map(int, place)) for place in places[0]],
            "cells": cells,
        }
        if number is not None:
            answer["aggregator"] = self.aggregations[number]
            if number != self.model.config.no_aggregation_label_index:
                answer["answer"] = f"{answer['aggregator']} > {answer['answer']}"
        return answer
