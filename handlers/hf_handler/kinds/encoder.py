"""Tasks whose model reads rows of tokens and is run once a pack."""

import time
from typing import Any, ClassVar

import torch
import transformers

from hf_handler.archive import Archive
from hf_handler.items import Item
from hf_handler.task import Task
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import load_tokenizer


class EncoderTask(Task):
    """A task whose items are token rows and whose model is run once a pack.

    Attributes:
        auto_class: Name of the `AutoModel*` class.
        may_miss: Beginnings of the names of weights that the task doesn't need.
        truncation: Which of a pair is cut; transformers' names.
    """

    auto_class: ClassVar[str]
    may_miss: ClassVar[tuple[str, ...]] = ()
    truncation: ClassVar[str] = "longest_first"
    shares_threads = True

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.load()
        if archive.settings["device_map"]:
            self.device = self.model.device

    def load(self) -> None:
        """Set `model`, `tokenizer` and `token_rows`."""
        self.model = self.archive.model(getattr(transformers, self.auto_class), may_miss=self.may_miss)
        self.tokenizer = load_tokenizer(self.archive, self.model)
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer, truncation=self.truncation)

    def forward(self, pack: list[Item]) -> tuple[Any, dict[str, torch.Tensor]]:
        """Run a pack; returns the model's output and the batch (rows x tokens) that gave it."""
        batch = self.token_rows.batch(pack, self.device)
        return self.model(**batch), batch

    def warm_up(self) -> None:
        """Answer the example, then measure the budget of a pack."""
        super().warm_up()
        if not self.archive.settings["max_batch_tokens"]:
            self.budget = measure_budget(self)


def measure_budget(owner: EncoderTask, seconds: float = 1.0) -> int:
    """Return the smallest pack, in tokens, that runs at nearly the best speed of this device.

    Rows of middle length are run in ever larger packs until speed no longer grows, time is up or memory is
    full. Small packs waste less on padding and keep a GPU's memory free, so the smallest within 5 % wins.
    """
    length = min(owner.token_rows.limit, 64)
    example = owner.split([owner.read(owner.example, {})])[0][0].inputs
    row = {name: (values * length)[:length] for name, values in example.items()}
    deadline = time.monotonic() + seconds
    largest = 2**13 if owner.device.type == "cpu" else 2**18  # a CPU's cores are busy long before
    speeds: dict[int, float] = {}
    budget = 256
    while budget <= largest and time.monotonic() < deadline:
        items = [Item(row, length)] * max(1, budget // length)
        try:
            took = [_seconds_of(owner, items)]
            while len(took) < 3 and time.monotonic() < deadline:
                took.append(_seconds_of(owner, items))
        except (RuntimeError, ValueError, IndexError):  # out of memory, or no model for such a row
            break
        speeds[budget] = len(items) * length / min(took)
        if budget // 4 in speeds and speeds[budget] < 1.02 * speeds[budget // 4]:
            break
        if time.monotonic() + 2 * took[-1] > deadline:
            break
        budget *= 2
    best = max(speeds.values(), default=0)
    return min((size for size, speed in speeds.items() if speed >= 0.95 * best), default=owner.budget)


def _seconds_of(owner: EncoderTask, items: list[Item]) -> float:
    started = time.perf_counter()
    with torch.inference_mode():
        owner.forward(items)
        if owner.device.type == "cuda":
            torch.cuda.synchronize(owner.device)
    return time.perf_counter() - started
