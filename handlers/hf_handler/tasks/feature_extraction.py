"""feature-extraction: the vector of every token."""

from collections.abc import Sequence
from typing import Any

from hf_handler.arrays import BASE64, ENCODING, in_base64
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.schema import FLAG, INPUT_TEXT, SCORE, TEXT, list_of, or_several
from hf_handler.text.reading_parameters import READING, READING_ALIASES


class FeatureExtraction(EncoderTask):
    """The vector of every token (1 x tokens x size), as transformers' pipeline gives them."""

    name = "feature-extraction"
    auto_class = "AutoModel"
    may_miss = ("pooler.",)
    interface = Interface(
        fields={"text": or_several(INPUT_TEXT)},
        several=("text",),
        # No `padding: max_length`: there would be a vector for each token that is added.
        parameters={
            **READING,
            "encoding": ENCODING,
            "padding": {"anyOf": [FLAG, {"type": "string", "enum": ["longest", "do_not_pad"]}]},
        },
        aliases=READING_ALIASES,
        prediction=list_of(list_of({"anyOf": [list_of(SCORE), TEXT]})),
    )

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text."""
        return self.token_rows.encode(queries, [[query.fields["text"]] for query in queries])

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Token vectors (tokens x size), a row an item."""
        output, _ = self.forward(pack)
        return self.token_rows.pad.without(output[0].float().cpu().numpy(), pack)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One text, hence one list around its tokens'."""
        if query.parameters["encoding"] == BASE64:
            return [[in_base64(vector) for vector in rows[0]]]
        return [rows[0]]
