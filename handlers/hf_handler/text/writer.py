"""Text written by a model's `generate`."""

import contextlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import torch

from hf_handler.allowance import Allowance
from hf_handler.bounds import REQUEST_NEW_TOKENS
from hf_handler.items import Item
from hf_handler.plans import Plan
from hf_handler.schema import Parameters
from hf_handler.text.generation_options import GenerationOptions
from hf_handler.text.stop_strings import stop_strings, without_stop
from hf_handler.text.stopping import stopping_early

# Of a pack: tokens read and written, times the rows that one item takes.
BUDGET = 8192


@contextlib.contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """Draw from a generator of this seed, and leave the worker's own as it was; None changes nothing."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


class Writer:
    """Plans what a model is to write, lets it write, and decodes what it wrote.

    Args:
        model: Of transformers, with `generate`. Its generation config gets the tokenizer's padding token
            where it has none.
        tokenizer: Of the model; decodes.
        defaults, before_models_own, limit: See `GenerationOptions`.
        clean_up: Whether spaces before punctuation are removed where nothing is sent; None: as the tokenizer
            says.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        defaults: Mapping[str, Any],
        before_models_own: bool = False,
        limit: int | None = None,
        clean_up: bool | None = False,
    ) -> None:
        if model.generation_config.pad_token_id is None:
            model.generation_config.pad_token_id = tokenizer.pad_token_id
        self._model, self._tokenizer = model, tokenizer
        self._options = GenerationOptions(model, defaults, before_models_own, limit)
        self._clean_up = clean_up

    def plan(
        self,
        item: Item,
        parameters: Parameters,
        allowance: Allowance,
        specific: Mapping[str, Any] | None = None,
        shapes: Hashable = None,
    ) -> Item:
        """Give an item its plan as its group, and its cost as its length; returns the item.

        Args:
            item: Its length is the tokens of its prompt; it becomes the tokens read and written, times the
                rows that this takes.
            parameters: Of its query, checked.
            allowance: Of its query's request.
            specific: What the model's config says of the task, beside its generation config.
            shapes: Of the tensors that must be equal to be joined; None where all can.

        Raises:
            Refused: The parameters don't go together, or the request asks for too much.
        """
        options = self._options.of(parameters, item.length, specific or {})
        allowance.take(REQUEST_NEW_TOKENS, self._options.new_tokens(options))
        item.group = Plan.of(
            options, stop=stop_strings(parameters), seed=parameters.get("seed"), shapes=shapes
        )
        rows = max(options.get("num_beams") or 1, options.get("num_return_sequences") or 1)
        item.length = rows * (item.length + (options.get("max_new_tokens") or 0))
        return item

    def write(
        self,
        pack: Sequence[Item],
        batch: Mapping[str, torch.Tensor],
        device: torch.device,
        streamer: Any = None,
    ) -> torch.Tensor:
        """Let the model write; a text ends where nobody waits for it any more.

        Args:
            pack: The items, all of the same plan.
            batch: What the model takes (items x ...), on `device`.
            device: Where random numbers are drawn.
            streamer: Of transformers; is given the prompt's tokens, then each new one.

        Returns:
            Tokens (items x sequences x tokens), padded on the right; the prompt is first where the model
            repeats it.
        """
        plan: Plan = pack[0].group
        stopping = stopping_early([item.waiting for item in pack], self._tokenizer, plan.stop)
        with seeded(plan.seed, device):
            tokens = self._model.generate(**batch, **dict(plan.options), **stopping, streamer=streamer)
        return tokens.reshape(len(pack), -1, tokens.shape[-1])  # type: ignore[no-any-return]

    def texts(self, sequences: Sequence[Sequence[int]], parameters: Parameters) -> list[str]:
        """Return the texts of sequences of tokens, each as far as its first stop string.

        Args:
            sequences: Of one item.
            parameters: Of its query, checked.
        """
        stop = stop_strings(parameters)
        decoding = {
            "skip_special_tokens": parameters.get("skip_special_tokens", True),
            "clean_up_tokenization_spaces": parameters.get("clean_up_tokenization_spaces", self._clean_up),
        }
        return [without_stop(self._tokenizer.decode(tokens, **decoding), stop) for tokens in sequences]
