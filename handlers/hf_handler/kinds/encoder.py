"""Tasks whose model reads rows of tokens and is run once a pack."""

import logging
from pathlib import Path
from typing import Any, ClassVar

import torch

from hf_handler.decisions import decided, decided_once
from hf_handler.engines.cuda_graphs import GraphedModel, can_be_replayed, lengths_up_to
from hf_handler.engines.cuda_graphs import decision as graphs_decision
from hf_handler.engines.loading import load_encoder
from hf_handler.engines.onnx_model import OnnxModel
from hf_handler.engines.trial import decision as trial
from hf_handler.engines.trial import thread_decision
from hf_handler.items import Item
from hf_handler.task import Task
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import load_tokenizer

logger = logging.getLogger(__name__)

THREADS = "threads"  # the name of that decision


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
    engines = ("auto", "torch", "onnxruntime")
    shares_threads = True

    def load(self) -> None:
        """Set `model`, `tokenizer` and `token_rows`."""
        self.load_model(self.archive.folder)
        self.tokenizer = load_tokenizer(self.archive, self.model)
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer, truncation=self.truncation)

    def load_model(self, folder: Path) -> None:
        """Set `model`, and `rival` where onnxruntime may turn out to be faster.

        Args:
            folder: Holds `config.json`.
        """
        self.model, self.rival = load_encoder(
            self.archive, self.auto_class, folder, self.may_miss, self.threads.most
        )

    def forward(self, pack: list[Item]) -> tuple[Any, dict[str, torch.Tensor]]:
        """Run the model on a pack.

        Returns:
            The model's output, and the batch (rows x tokens) that it was given.
        """
        batch = self.token_rows.batch(pack, self.device)
        return self.model(**batch), batch

    def warm_up(self) -> None:
        """Answer the example, choose the engine, then measure the budget of a pack."""
        super().warm_up()
        if self.rival is not None:
            self._choose_engine(self.rival)
            super().warm_up()
        if self.device.type == "cuda" and can_be_replayed(self.archive.settings):
            self._choose_graphs()
        if not self.archive.settings.max_batch_tokens:
            self.packs.budget = decided_once("pack_budget", self._measured_budget)

    def _measured_budget(self) -> int:
        self.packs.measure_budget(self._row_of_length(64), self.forward)
        return self.packs.budget

    def _choose_engine(self, rival: OnnxModel) -> None:
        """Let onnxruntime run the model where that gives the same and is faster; the other is dropped."""
        short = self.token_rows.batch([self._example_row()], self.device)
        pack = [self._row_of_length(length) for length in (64, 40, 24, 16, 64, 48, 32, 8)]
        decision = decided_once(
            "engine", lambda: trial(self.model, rival, short, self.token_rows.batch(pack, self.device))
        )
        self.rival = None
        if decision["onnxruntime"]:
            self.model = rival
        logger.info(
            "%s runs the model: %s", "onnxruntime" if decision["onnxruntime"] else "torch", decision["why"]
        )

    def share_threads(self) -> None:
        """Share cores with the other workers; a short text has those of idle ones where that is faster.

        The worker that loads last measures it: beside one that loads, all threads would take longer than one.
        """
        is_last = self.threads.loaded()
        if self.threads.most == self.threads.own:
            return
        self.threads.undecided = self._decided_least_tokens
        if is_last:
            short = self.token_rows.batch([self._example_row()], self.device)
            decided_once(
                THREADS, lambda: thread_decision(self.model, short, self.threads.own, self.threads.most)
            )

    def _decided_least_tokens(self) -> int | None:
        decision = decided(THREADS)
        if decision is None:
            return None
        logger.info("threads of idle workers: %s", decision["why"])
        return 1 if decision["lent"] else self.threads.least_tokens

    def _choose_graphs(self) -> None:
        """Let passes of few tokens be replayed where that is faster."""

        def batch_of(rows: int, tokens: int) -> dict[str, torch.Tensor]:
            return self.token_rows.batch([self._row_of_length(tokens)] * rows, self.device)

        decision = decided_once("cuda_graphs", lambda: graphs_decision(self.model, batch_of))
        logger.info("CUDA graphs: %s", decision["why"])
        if decision["tokens"]:
            self.model = GraphedModel(self.model, decision["tokens"])
            self.token_rows.lengths = lengths_up_to(self.token_rows.limit)

    def _example_row(self) -> Item:
        return self.split([self.read(self.example, {})])[0][0]

    def _row_of_length(self, length: int) -> Item:
        """The example's first row, repeated to so many tokens, or to as many as the model takes."""
        length = min(self.token_rows.limit, length)
        example = self._example_row().inputs
        return Item({name: (values * length)[:length] for name, values in example.items()}, length)
