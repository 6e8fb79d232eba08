"""Tasks whose model writes about pictures."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import transformers

from hf_handler.failures import each
from hf_handler.items import Item, Query
from hf_handler.kinds.generation import GenerationTask, seeded
from hf_handler.media.pictures import Pictures
from hf_handler.plans import Plan
from hf_handler.schema import Refused
from hf_handler.tensors import shapes_of, tensors_of, together
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import positions_of


class PictureToText(GenerationTask):
    """A task whose model writes about pictures.

    An item's `inputs` are its prompt's tokens, its `source` all the tensors. Prompts are padded only where
    the tokenizer pads on the left, as those of decoders do; others share a pack when they are equally long.
    """

    defaults_of_pipeline: ClassVar = {"max_new_tokens": 256}

    def load(self) -> None:
        """Load the model, its tokenizer and what prepares pictures."""
        self.pictures = Pictures(self.archive)
        self.model = self.archive.model(getattr(transformers, self.auto_class))
        if hasattr(self.model, "text_decoder"):  # BLIP's decoder generates by a config of its own, never read
            self.model.text_decoder.generation_config = self.model.generation_config
        self.load_processor()
        self.positions = positions_of(self.model)
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer)
        if self.model.can_generate() and self.model.generation_config.pad_token_id is None:
            self.model.generation_config.pad_token_id = self.tokenizer.pad_token_id

    def load_processor(self) -> None:
        """Set `tokenizer` and `processor`."""
        self.tokenizer = self.archive.processor(transformers.AutoTokenizer)
        self.processor = self.archive.processor(transformers.AutoImageProcessor)

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Prepare pictures and texts; one item a query."""
        return each(queries, self.prompt)

    def prompt(self, query: Query) -> list[Item]:
        """Prepare one query."""
        raise NotImplementedError

    def prepared(self, inputs: Mapping[str, Any]) -> Item:
        """Return an item of what a processor gave.

        Raises:
            Refused: It is longer than the model takes.
        """
        tensors = tensors_of(inputs, self.model.dtype)
        ids = tensors["input_ids"][0].tolist() if "input_ids" in tensors else []
        limit = self.token_rows.limit
        if len(ids) > limit:
            raise Refused(f"text and images have {len(ids)} tokens, the model takes {limit}", 422)
        return Item({"input_ids": ids}, len(ids), source=tensors)

    def plan(self, query: Query, item: Item) -> None:
        """As for any generation; shapes have to be equal too."""
        super().plan(query, item)
        left = self.tokenizer.padding_side == "left"
        item.group = dataclasses.replace(item.group, shapes=shapes_of(item.source, left))

    def run(self, pack: list[Item], streamer: Any = None) -> list[list[list[int]]]:
        """Generate; returns each item's sequences, with the prompt where the model repeats it."""
        plan: Plan = pack[0].group
        pad = self.tokenizer.pad_token_id or 0
        batch = together([item.source for item in pack], self.device, pad, left=True)
        stopping = {"stop_strings": list(plan.stop), "tokenizer": self.tokenizer} if plan.stop else {}
        with seeded(plan.seed, self.device):
            sequences = self.model.generate(**batch, **dict(plan.options), **stopping)
        rows: list[list[list[int]]] = sequences.reshape(len(pack), -1, sequences.shape[-1]).tolist()
        if "input_ids" not in batch:
            return rows
        width = batch["input_ids"].shape[1]
        for index, item in enumerate(pack):
            padding = width - len(item.inputs["input_ids"])
            rows[index] = [row[padding:] for row in rows[index]] if padding else rows[index]
        return rows
