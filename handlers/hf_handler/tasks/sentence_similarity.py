"""sentence-similarity: the cosine of a sentence with each of others."""

from collections.abc import Sequence
from typing import Any

import torch

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.schema import INPUT_LABEL, INPUT_TEXT, INPUT_TEXTS, SCORE, list_of, record
from hf_handler.tasks.sentence_embeddings import SentenceEmbeddings
from hf_handler.text.reading_parameters import READING, READING_ALIASES


class SentenceSimilarity(SentenceEmbeddings):
    """The cosine of a sentence with each of others."""

    name = "sentence-similarity"
    interface = Interface(
        fields={"source_sentence": INPUT_TEXT, "sentences": INPUT_TEXTS},
        forms=(("source_sentence", "sentences"),),
        parameters={"prompt_name": INPUT_LABEL, **READING},
        aliases=READING_ALIASES,
        prediction=record({"similarities": list_of(SCORE)}),
        example={"source_sentence": "a movie", "sentences": ["a film", "bread"]},
    )

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a sentence, the source first."""
        return self.encode_prompted(
            queries, [[query.fields["source_sentence"], *query.fields["sentences"]] for query in queries]
        )

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """One unit vector an item, as a tensor."""
        return list(torch.nn.functional.normalize(self.vectors(pack), dim=1).cpu())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Of unit vectors the cosine is the product."""
        return {"similarities": (torch.stack(rows[1:]) @ rows[0]).tolist()}
