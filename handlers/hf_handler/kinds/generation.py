"""Tasks whose model writes text with `generate`."""

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch

from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.plans import Plan, stop_strings
from hf_handler.schema import (
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    TEXTS,
    WHOLE,
    Parameters,
    Refused,
    Schema,
    list_of,
    record,
)
from hf_handler.task import Task
from hf_handler.text.streaming import without_stop
from hf_handler.text.tokens import positions_of

# Beyond these bounds scores are no numbers any more.
FACTOR: Schema = {"type": "number", "minimum": 0.0001, "maximum": 1000}


SHARE: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}


# Those of `generate` that make sense for a server: none that names files, code or other models.
GENERATION: Mapping[str, Schema] = {
    "max_new_tokens": COUNT,
    "min_new_tokens": WHOLE,
    "max_length": COUNT,
    "min_length": WHOLE,
    "do_sample": FLAG,
    "temperature": FACTOR,
    "top_k": WHOLE,
    "top_p": SHARE,
    "min_p": SHARE,
    "typical_p": SHARE,
    "repetition_penalty": FACTOR,
    "no_repeat_ngram_size": WHOLE,
    "num_beams": {**COUNT, "maximum": 32},
    "num_return_sequences": {**COUNT, "maximum": 32},
    "length_penalty": {**NUMBER, "minimum": -10, "maximum": 10},  # an exponent: large ones overflow
    "early_stopping": FLAG,
    "seed": WHOLE,
    "stop": {
        "anyOf": [{**TEXT, "minLength": 1}, {**TEXTS, "items": {**TEXT, "minLength": 1}, "maxItems": 8}]
    },
    "clean_up_tokenization_spaces": FLAG,
    "truncation": FLAG,
}


GENERATION_ALIASES = {
    "max_tokens": "max_new_tokens",
    "stop_sequences": "stop",
    "stop_sequence": "stop",
}


SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p")


# Of the parameters above, those that `generate` doesn't take itself.
NOT_FOR_GENERATE = {
    "seed", "stop", "clean_up_tokenization_spaces", "stream", "return_full_text", "continue_final_message",
    "skip_special_tokens", "src_lang", "tgt_lang", "truncation",
}  # fmt: skip


GENERATED: Schema = list_of(record({"generated_text": TEXT}))


@contextlib.contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """Draw from a generator of this seed, and leave everybody else's as it was."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


class GenerationTask(EncoderTask):
    """A task whose model writes text with `generate`.

    Attributes:
        defaults_of_pipeline: What the pipeline of this task generates with where nothing is sent.
        before_models_own: Whether that comes before the model's own `generation_config.json`, as it did in
            the pipelines that transformers 5 no longer has.
    """

    defaults_of_pipeline: ClassVar[Mapping[str, Any]] = {"max_new_tokens": 256, "num_beams": 4}
    before_models_own: ClassVar[bool] = False
    budget = 8192  # tokens read and written, times beams
    shares_threads = False  # it writes for seconds, and the others' requests would come meanwhile

    def load(self) -> None:
        """Load the model, its tokenizer, and what it generates with."""
        super().load()
        self.positions = positions_of(self.model)
        if self.model.generation_config.pad_token_id is None:
            self.model.generation_config.pad_token_id = self.tokenizer.pad_token_id

    def warm_up(self) -> None:
        """Answer the example: how much fits depends on what is generated, so there is nothing to measure."""
        Task.warm_up(self)

    # -- Parameters --

    def options(self, parameters: Parameters, prompt: int) -> Parameters:
        """Return what `generate` is called with: sent, else the model's own, else the pipeline's.

        Args:
            parameters: Checked.
            prompt: Tokens of the prompt.

        Raises:
            Refused: The combination makes no sense to `generate`.
        """
        sent = {key: value for key, value in parameters.items() if key not in NOT_FOR_GENERATE}
        own = self.model.generation_config.to_diff_dict()
        specific = self.task_options(parameters)
        known = {**own, **specific, **sent}
        before = specific | sent if self.before_models_own else known
        defaults = {
            key: value
            for key, value in self.defaults_of_pipeline.items()
            if key not in before and not (key == "max_new_tokens" and "max_length" in own | sent)
        }
        sampling = {**known, **defaults}.get("do_sample")
        chosen = {
            **{key: value for key, value in defaults.items() if sampling or key not in SAMPLING},
            **specific,
            **sent,
        }
        chosen = self.in_new_tokens(chosen, known, prompt)
        try:
            config = copy.deepcopy(self.model.generation_config)
            config.update(**chosen)
            config.validate(strict=False)
        except ValueError as error:
            raise Refused(f"these parameters don't go together: {str(error)[:200]}") from None
        return chosen

    def task_options(self, parameters: Parameters) -> Parameters:
        """Return what the model's config says of this task (`task_specific_params`)."""
        return {}

    def in_new_tokens(self, chosen: Parameters, known: Parameters, prompt: int) -> Parameters:
        """Return the options with lengths that mean the same for every row of a pack."""
        if "max_length" in chosen and "max_new_tokens" not in chosen:
            # The model's own max_new_tokens would win over the max_length that was sent.
            chosen = {**chosen, "max_new_tokens": max(1, chosen["max_length"] - 1)}
        chosen.pop("max_length", None)
        if self.positions and chosen.get("max_new_tokens", 0) >= self.positions:
            chosen["max_new_tokens"] = self.positions - 1
        new, least = chosen.get("max_new_tokens"), chosen.get("min_length", known.get("min_length"))
        if new and least and least > new + 1:  # `generate` would warn, and stop there
            chosen["min_length"] = new + 1
        return chosen

    # -- Work --

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Return the tokens that each query's generation starts from."""
        texts = [[query.fields[self.interface.main]] for query in queries]
        return self.token_rows.encode(queries, texts)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a query; only equal parameters share a pack, and a seed has a pack of its own."""
        work = self.prompts(queries)
        for query, items in zip(queries, work, strict=True):
            try:
                for item in items:
                    self.plan(query, item)
            except Refused as error:
                query.failure = error
                items.clear()
        return work

    def plan(self, query: Query, item: Item) -> None:
        """Set an item's group and length.

        Raises:
            Refused: The parameters can't be used.
        """
        parameters = query.parameters
        prompt = len(item.inputs["input_ids"])
        options = self.options(parameters, prompt)
        item.group = Plan.of(options, stop=stop_strings(parameters), seed=parameters.get("seed"))
        rows = max(options.get("num_beams") or 1, options.get("num_return_sequences") or 1)
        item.length = rows * (prompt + (options.get("max_new_tokens") or 0))

    def run(self, pack: list[Item], streamer: Any = None) -> list[list[list[int]]]:
        """Generate; returns the new tokens of each item's sequences."""
        plan: Plan = pack[0].group
        batch = self.token_rows.batch(pack, self.device)
        stopping = {"stop_strings": list(plan.stop), "tokenizer": self.tokenizer} if plan.stop else {}
        with seeded(plan.seed, self.device):
            sequences = self.model.generate(**batch, **dict(plan.options), **stopping, streamer=streamer)
        if not self.model.config.is_encoder_decoder:
            sequences = sequences[:, batch["input_ids"].shape[1] :]
        rows: list[list[list[int]]] = sequences.reshape(len(pack), -1, sequences.shape[-1]).tolist()
        return rows

    def written(self, query: Query, row: list[list[int]]) -> list[str]:
        """Return the texts of one item's sequences, without a stop string at the end."""
        parameters = query.parameters
        stop = stop_strings(parameters)
        texts = []
        for tokens in row:
            text = self.tokenizer.decode(
                tokens,
                skip_special_tokens=parameters.get("skip_special_tokens", True),
                clean_up_tokenization_spaces=parameters.get("clean_up_tokenization_spaces", self.clean_up),
            )
            texts.append(without_stop(text, stop))
        return texts

    clean_up: ClassVar[bool | None] = False
