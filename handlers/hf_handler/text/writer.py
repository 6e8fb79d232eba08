"""Text written by a model's `generate`."""

import contextlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import torch

from hf_handler.allowance import Allowance
from hf_handler.bounds import REQUEST_NEW_TOKENS
from hf_handler.items import Item, Query
from hf_handler.plans import Plan
from hf_handler.schema import Fields, Parameters, Refused
from hf_handler.text.details import COUNTS, Ending, ending_of, mean_log_probability, token_details
from hf_handler.text.generation_options import GenerationOptions
from hf_handler.text.leaving import Ended, Lengths, leaving
from hf_handler.text.stop_strings import stop_strings, without_stop
from hf_handler.text.stopping import stopping_early
from hf_handler.text.token_log import TokenLog, processors

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
        defaults, limit: See `GenerationOptions`.
        clean_up: Whether spaces before punctuation are removed where nothing is sent; None: as the tokenizer
            says.
        decodes_text: Whether the model is a decoder of text alone: its texts leave the batch as they end.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        defaults: Mapping[str, Any],
        limit: int | None = None,
        clean_up: bool | None = False,
        decodes_text: bool = False,
    ) -> None:
        if model.generation_config.pad_token_id is None:
            model.generation_config.pad_token_id = tokenizer.pad_token_id
        self._model, self._tokenizer = model, tokenizer
        self._options = GenerationOptions(model, defaults, limit)
        self._clean_up, self._decodes_text = clean_up, decodes_text
        ends = model.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [] if ends is None else [ends])
        self._padding = model.generation_config.pad_token_id

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
        likeliest = likeliest_wanted(parameters)
        if likeliest is not None and self._options.beams(options) > 1:
            raise Refused("details, best_of and logprobs take num_beams of 1")
        item.length = self._options.rows(options) * (item.length + (options.get("max_new_tokens") or 0))
        if self._decodes_text and self._options.beams(options) == 1:
            item.new_tokens = options.pop("max_new_tokens", None)
        item.group = Plan.of(
            options, stop=stop_strings(parameters), seed=parameters.get("seed"), shapes=shapes,
            penalties=(parameters.get("frequency_penalty", 0.0), parameters.get("presence_penalty", 0.0)),
            likeliest=likeliest, own_lengths=item.new_tokens is not None,
        )  # fmt: skip
        return item

    def write(
        self,
        pack: Sequence[Item],
        batch: Mapping[str, torch.Tensor],
        device: torch.device,
        streamer: Any = None,
    ) -> list[list[list[int]]]:
        """Let the model write; a text ends where nobody waits for it any more.

        Sets `noted` of items whose plan asks for it.

        Args:
            pack: The items, all of the same plan.
            batch: What the model takes (items x ...), on `device`.
            device: Where random numbers are drawn.
            streamer: As `Parts`; is given the prompt's tokens, then each new one.

        Returns:
            Tokens (items x sequences x tokens), padded on the right; the prompt is first where the model
            repeats it.
        """
        plan: Plan = pack[0].group
        log = None if plan.likeliest is None else TokenLog(plan.likeliest)
        if log is not None and streamer is not None:
            streamer.follow(log)
        with self._ending(pack, batch, device) as ending, seeded(plan.seed, device):
            tokens = self._model.generate(
                **batch, **{**dict(plan.options), **ending}, streamer=streamer,
                logits_processor=[*processors(plan.penalties, log)],
            )  # fmt: skip
        if log is not None:
            log.note(tokens[:, -1])
            for item, noted in zip(pack, log.of_items(len(pack)), strict=True):
                item.noted = noted
        rows: list[list[list[int]]] = tokens.reshape(len(pack), -1, tokens.shape[-1]).tolist()
        if not plan.own_lengths:
            return rows
        prompt = batch["input_ids"].shape[1]
        return [
            [row[: prompt + (item.new_tokens or 0)] for row in sequences]
            for item, sequences in zip(pack, rows, strict=True)
        ]

    @contextlib.contextmanager
    def _ending(
        self, pack: Sequence[Item], batch: Mapping[str, torch.Tensor], device: torch.device
    ) -> Iterator[dict[str, Any]]:
        """Give what `generate` is called with so that each text ends where it should."""
        plan: Plan = pack[0].group
        early = stopping_early([item.waiting for item in pack], self._tokenizer, plan.stop)
        if not plan.own_lengths:
            yield early
            return
        lengths = [item.new_tokens or 0 for item in pack]
        each = self._options.rows(dict(plan.options))
        most = [length for length in lengths for _ in range(each)]
        own = Lengths(batch["input_ids"].shape[1], most, device)
        ended = Ended([*early["stopping_criteria"], own], self._ends, device)
        with leaving(self._model, ended):
            yield {"stopping_criteria": [ended], "max_new_tokens": max(lengths)}

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

    def count(self, sequences: Sequence[Sequence[int]], parameters: Parameters) -> int:
        """Return how many tokens were written, those that ended a text among them.

        Args:
            sequences: Of tokens that were written for one item, padded perhaps.
            parameters: Of its query, checked.
        """
        return sum(len(self._end_of(tokens, parameters).tokens) for tokens in sequences)

    def answered(
        self, item: Item, sequences: Sequence[Sequence[int]], query: Query
    ) -> list[tuple[int, Fields]]:
        """Return which sequences are answered, by their index, and what is told of each beside its text.

        Args:
            item: That they were written for.
            sequences: Of tokens that were written.
            query: Whose item it is.
        """
        parameters = query.parameters
        chosen = list(range(len(sequences)))
        others: list[int] = []
        if parameters.get("best_of", 1) > 1:
            own = [len(self._end_of(tokens, parameters).tokens) for tokens in sequences]
            chosen.sort(key=lambda index: -mean_log_probability(item.noted[index][: own[index]]))
            count = parameters.get("num_return_sequences", 1)
            chosen, others = chosen[:count], chosen[count:]
        if not parameters.get("details"):
            return [(index, {}) for index in chosen]
        told = {index: self.details(item, index, tokens, query) for index, tokens in enumerate(sequences)}
        if others and parameters["details"] is True:
            texts = self.texts(sequences, parameters)
            told[chosen[0]]["best_of_sequences"] = [
                {"generated_text": texts[index], **told[index]} for index in others
            ]
        return [(index, {"details": told[index]}) for index in chosen]

    def details(self, item: Item, index: int, tokens: Sequence[int], query: Query) -> Fields:
        """Return what is told of one sequence.

        Args:
            item: That it was written for.
            index: Of the sequence among those of its item.
            tokens: That were written, padded perhaps.
            query: Whose item it is.
        """
        parameters = query.parameters
        ending = self._end_of(tokens, parameters)
        found: Fields = {
            "finish_reason": ending.reason,
            "generated_tokens": len(ending.tokens),
            "prompt_tokens": query.tokens,
            "seed": parameters.get("seed"),
        }
        if parameters["details"] == COUNTS:
            return found
        wanted = parameters.get("top_n_tokens", 0)
        return found | token_details(self._tokenizer, ending.tokens, item.noted[index], wanted)

    def _end_of(self, tokens: Sequence[int], parameters: Parameters) -> Ending:
        """Return how a sequence ended that was written with some parameters."""
        stops = stop_strings(parameters)
        text = self._tokenizer.decode(tokens) if stops else ""
        stopped = any(stop in text for stop in stops)
        return ending_of(tokens, self._ends, self._padding, stopped)


def likeliest_wanted(parameters: Parameters) -> int | None:
    """Return how many of the likeliest tokens are to be noted at each place; None: nothing is to be noted."""
    listed = parameters.get("details") is True
    return parameters.get("top_n_tokens", 0) if listed or parameters.get("best_of", 1) > 1 else None


def parameters_to_choose(parameters: Parameters) -> Parameters:
    """Return the parameters with which as many texts are written as the best are chosen of (`best_of`).

    Raises:
        Refused: They are fewer than are to be answered.
    """
    count, best_of = parameters.get("num_return_sequences", 1), parameters.get("best_of", 1)
    if best_of == 1:
        return parameters
    if best_of < count:
        raise Refused(f"best_of must be at least num_return_sequences, {count}, got {best_of}")
    return {**parameters, "num_return_sequences": best_of}
