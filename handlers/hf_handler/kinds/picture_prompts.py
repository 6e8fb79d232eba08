"""Prompts of tokens and pictures, for models that write about pictures or are asked about them."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import torch

from hf_handler.allowance import Allowance
from hf_handler.archive import Archive
from hf_handler.items import Item
from hf_handler.schema import Parameters, Refused
from hf_handler.tensors import shapes_of, tensors_of, together
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.writer import Writer


class PicturePrompts:
    """Makes items of what a processor gives, and a model's inputs of items.

    Args:
        archive: Its settings say how many tokens a prompt may have.
        model: Of transformers.
        tokenizer: Of the model.
        pads: The side on which shorter prompts are padded to run with longer ones; None: only those of equal
            length run together.
    """

    def __init__(
        self, archive: Archive, model: Any, tokenizer: Any, pads: Literal["left", "right"] | None
    ) -> None:
        self._limit = TokenRows(archive, model, tokenizer).limit
        self._dtype: torch.dtype = model.dtype
        self._filling = tokenizer.pad_token_id or 0
        self._pads = pads

    def item(self, inputs: Mapping[str, Any]) -> Item:
        """Return an item: its inputs are tensors (1 x ...), its length is the tokens of the prompt.

        Args:
            inputs: What a processor gave for one prompt; `input_ids` are missing where a picture is all.

        Raises:
            Refused: It is longer than the model takes.
        """
        tensors = tensors_of(inputs, self._dtype)
        tokens = tensors["input_ids"].shape[1] if "input_ids" in tensors else 0
        if tokens > self._limit:
            raise Refused(f"text and images have {tokens} tokens, the model takes {self._limit}", 422)
        return Item(tensors, tokens)

    def shapes(self, item: Item) -> Hashable:
        """Return what must be equal of items that run together."""
        return shapes_of(item.inputs, padded=self._pads is not None)

    def batch(self, pack: Sequence[Item], device: torch.device) -> dict[str, torch.Tensor]:
        """Return the model's inputs (items x ...) on `device`."""
        return together([item.inputs for item in pack], device, self._filling, left=self._pads == "left")


class PictureWriter:
    """Writes about pictures: prompts of tokens and pictures, and the writer that answers them.

    Prompts are padded only where the tokenizer pads on the left, as those of decoders do.

    Args:
        archive: Its settings say how many tokens a prompt may have.
        model: Of transformers, with `generate`.
        tokenizer: Of the model.
        goes_on: Whether the text goes on from the prompt: `max_length` and `min_length` count both.

    Attributes:
        writer: Lets the model write.
    """

    def __init__(self, archive: Archive, model: Any, tokenizer: Any, goes_on: bool = False) -> None:
        if hasattr(model, "text_decoder"):  # BLIP's decoder generates by a config of its own, never read
            model.text_decoder.generation_config = model.generation_config
        pads: Literal["left"] | None = "left" if tokenizer.padding_side == "left" else None
        self._prompts = PicturePrompts(archive, model, tokenizer, pads)
        limit = tokenizer.model_max_length if goes_on else None
        self.writer = Writer(model, tokenizer, {"max_new_tokens": 256}, limit=limit)

    def item(self, inputs: Mapping[str, Any], parameters: Parameters, allowance: Allowance) -> Item:
        """Return the planned item of what a processor gave for one prompt.

        Raises:
            Refused: It is longer than the model takes, the parameters don't go together, or the request has
                too much to write.
        """
        item = self._prompts.item(inputs)
        return self.writer.plan(item, parameters, allowance, shapes=self._prompts.shapes(item))

    def write(
        self, pack: Sequence[Item], device: torch.device, streamer: Any = None
    ) -> list[list[list[int]]]:
        """Return the tokens of each item's sequences, with its prompt first where the model repeats it."""
        batch = self._prompts.batch(pack, device)
        rows = self.writer.write(pack, batch, device, streamer)
        if "input_ids" not in batch:
            return rows
        width = batch["input_ids"].shape[1]
        padding = [width - item.inputs["input_ids"].shape[1] for item in pack]
        return [[tokens[count:] for tokens in row] for row, count in zip(rows, padding, strict=True)]

    def texts(self, sequences: Sequence[Sequence[int]], parameters: Parameters) -> list[str]:
        """Return the texts of one item's sequences, each as far as its first stop string."""
        return self.writer.texts(sequences, parameters)
