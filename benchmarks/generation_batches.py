"""Texts of different lengths written together: the reference handler beside what else transformers offers.

    PYTHONPATH=handlers python -m benchmarks.generation_batches [--rounds N]

Prompts of 4 to 200 tokens, with 4 to 128 new tokens each, by a seeded Llama of 6 layers of 512 on the CPU,
greedy. Ways, taking turns: a padded batch for each number of new tokens; padded batches that run until their
longest text ends; transformers' continuous batching; and the handler, whose texts leave the batch as they
end, in packs and in a single pack (the most that could be gained by letting others enter). What is told is
CPU time and wall time a token, and how many prompts got other tokens than alone. Writes
benchmarks/results/generation_batches.KIND.json and .md; ends with 1 when the handler's tokens are others.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers

from benchmarks.device_models import TASKS, Handler
from benchmarks.published import installed_versions, publish, table

SEED = 11
COUNTS = (16, 32, 96)
PROMPT, NEW = (4, 200), (4, 128)
ROUNDS = 1
HANDLER = "the handler"
Tokens = list[int]


class Asked(NamedTuple):
    """A prompt, and how many tokens are to be written to it."""

    prompt: Tokens
    new: int


# Tokens or texts, in the order of what was asked.
Way = Callable[[Sequence[Asked]], list[Any]]


def prompts(count: int, tokenizer: Any) -> list[Asked]:
    """Prompts of whole words, whose texts have the same tokens again; the same every time."""
    generator = random.Random(SEED)  # noqa: S311 (no secret)
    words = [
        token
        for text, token in sorted(tokenizer.get_vocab().items())
        if text.isascii() and text.isalpha() and len(text) > 3
    ]
    return [
        Asked(generator.choices(words, k=generator.randint(*PROMPT)), generator.randint(*NEW))
        for _ in range(count)
    ]


class Transformers:
    """The ways of transformers alone.

    Args:
        folder: The model's.
    """

    def __init__(self, folder: Path) -> None:
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")
        self._folder = folder
        self._model = self._loaded()
        self._paged = self._loaded()

    def _loaded(self) -> Any:
        return transformers.AutoModelForCausalLM.from_pretrained(self._folder, dtype=torch.float32).eval()

    def alone(self, asked: Sequence[Asked]) -> list[Tokens]:
        """One prompt after the other."""
        return [self._padded([one])[0] for one in asked]

    def by_number(self, asked: Sequence[Asked]) -> list[Tokens]:
        """A batch for each number of new tokens, as options of one call are the same for all its prompts."""
        return self._in_packs(asked, [one.new for one in asked])

    def to_the_longest(self, asked: Sequence[Asked]) -> list[Tokens]:
        """Batches that run until their longest text ends."""
        return self._in_packs(asked, [None] * len(asked))

    def continuous(self, asked: Sequence[Asked]) -> list[Tokens]:
        """Transformers' continuous batching."""
        settings = transformers.ContinuousBatchingConfig(num_blocks=256, max_batch_tokens=2048)
        options = transformers.GenerationConfig(do_sample=False, eos_token_id=self._ends)
        found: dict[str, Tokens] = {}
        with self._paged.continuous_batching_context_manager(
            generation_config=options, continuous_batching_config=settings
        ) as manager:
            names = [manager.add_request(one.prompt, max_new_tokens=one.new) for one in asked]
            while len(found) < len(asked):
                result = manager.get_result(timeout=1)
                if result is not None and result.is_finished():
                    if result.error:
                        raise SystemExit(f"continuous batching: {result.error}")
                    found[result.request_id] = result.generated_tokens
        return [found[name] for name in names]

    @property
    def _ends(self) -> int:
        ends: int = self._model.generation_config.eos_token_id
        return ends

    def _in_packs(self, asked: Sequence[Asked], groups: Sequence[Any]) -> list[Tokens]:
        from hf_handler.items import Item
        from hf_handler.packs import packs_of
        from hf_handler.text.writer import BUDGET

        lengths = [len(one.prompt) + one.new for one in asked]
        items = [Item(None, length, group) for length, group in zip(lengths, groups, strict=True)]
        found: dict[int, Tokens] = {}
        for pack in packs_of(items, BUDGET):
            found.update(zip(pack, self._padded([asked[index] for index in pack]), strict=True))
        return [found[index] for index in range(len(asked))]

    def _padded(self, asked: Sequence[Asked]) -> list[Tokens]:
        batch = self.tokenizer.pad({"input_ids": [one.prompt for one in asked]}, return_tensors="pt")
        most = max(one.new for one in asked)
        with torch.inference_mode():
            rows = self._model.generate(
                **batch, do_sample=False, max_new_tokens=most, pad_token_id=self.tokenizer.pad_token_id
            )
        width = batch["input_ids"].shape[1]
        return [
            self._own(row[width : width + one.new]) for row, one in zip(rows.tolist(), asked, strict=True)
        ]

    def _own(self, tokens: Tokens) -> Tokens:
        return tokens[: tokens.index(self._ends) + 1] if self._ends in tokens else tokens


class OurHandler:
    """The reference handler, asked with texts; no server.

    Args:
        folder: The model's.
        tokenizer: Of the model.
    """

    def __init__(self, folder: Path, tokenizer: Any) -> None:
        self._handler = Handler(folder, torch.device("cpu"), "float32")
        self._tokenizer = tokenizer
        self.packs = self._handler._service.context.huggingface.task.packs

    def __call__(self, asked: Sequence[Asked]) -> list[str]:
        """The texts that it writes."""
        instances: list[Any] = [
            {"text": self._tokenizer.decode(one.prompt), "max_new_tokens": one.new} for one in asked
        ]
        answers = self._handler.predict(instances, {"do_sample": False, "return_full_text": False})
        return [records[0]["generated_text"] for records in answers]

    def in_one_pack(self, asked: Sequence[Asked]) -> list[str]:
        """The same, however many prompts there are."""
        budget, self.packs.budget = self.packs.budget, sys.maxsize
        try:
            return self(asked)
        finally:
            self.packs.budget = budget


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)  # as a worker of the images has, and a second one that waits would count as work
    (task,) = (task for task in TASKS if task.name == "text-generation")
    with tempfile.TemporaryDirectory(prefix="vts-") as scratch:
        folder = Path(scratch, "model")
        task.save(folder)
        plain = Transformers(folder)
        ours = OurHandler(folder, plain.tokenizer)
        ways: dict[str, Way] = {
            "a batch for each number of new tokens": plain.by_number,
            "batches until the longest text ends": plain.to_the_longest,
            "transformers' continuous batching": plain.continuous,
            HANDLER: ours,
            "the handler, all in one pack": ours.in_one_pack,
        }
        measured = [row for count in COUNTS for row in measure(ways, plain, count, rounds)]
    settings = {
        "rounds": rounds,
        "threads": torch.get_num_threads(),
        "tokens of a prompt": f"{PROMPT[0]} to {PROMPT[1]}",
        "new tokens": f"{NEW[0]} to {NEW[1]}",
    }
    publish(
        "generation_batches", "Texts of different lengths written together", settings, measured,
        page(measured), trial=rounds < ROUNDS, programs={"this": installed_versions(sys.executable)},
    )  # fmt: skip
    return int(any(row["others"] for row in measured if row["way"] == HANDLER))


def measure(ways: dict[str, Way], plain: Transformers, count: int, rounds: int) -> list[dict[str, Any]]:
    """A row for each way of answering so many prompts."""
    asked = prompts(count, plain.tokenizer)
    alone = plain.alone(asked)
    texts = plain.tokenizer.batch_decode(alone, skip_special_tokens=True)
    written = sum(map(len, alone))
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    others: dict[str, int] = {}
    for number in range(rounds):
        for way in list(ways)[:: 1 if number % 2 else -1]:
            wall, cpu = time.perf_counter(), time.process_time()
            answers = ways[way](asked)
            taken[way].append((time.process_time() - cpu, time.perf_counter() - wall))
            expected = texts if isinstance(answers[0], str) else alone
            others[way] = sum(one != other for one, other in zip(answers, expected, strict=True))
    rows = []
    for way, seconds in taken.items():
        cpu, wall = (1000 * statistics.median(column) / written for column in zip(*seconds, strict=True))
        row = {"prompts": count, "tokens": written, "way": way, "cpu_ms": cpu, "wall_ms": wall}
        rows.append({**row, "others": others[way]})
        sys.stderr.write(f"{rows[-1]}\n")
    return rows


def page(measured: Sequence[dict[str, Any]]) -> str:
    """A table a count of prompts."""
    parts = ["Medians of the rounds, and ratios to the first row. Greedy; each way is asked the same."]
    columns = ("way", "CPU ms a token", "ratio", "wall ms a token", "ratio", "prompts with other tokens")
    for count in dict.fromkeys(row["prompts"] for row in measured):
        rows = [row for row in measured if row["prompts"] == count]
        lines = []
        for row in rows:
            figures = [(row[key], row[key] / rows[0][key]) for key in ("cpu_ms", "wall_ms")]
            told = [f"{figure:.2f}" for pair in figures for figure in pair]
            lines.append((row["way"], *told, row["others"]))
        heading = f"## {count} prompts, {rows[0]['tokens']} tokens written"
        parts.append(f"{heading}\n\n{table(columns, lines, numbers=True)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
