"""Tasks whose model reads rows of tokens and is run once a pack."""

from typing import Any, ClassVar

import torch
import transformers

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

    def load(self) -> None:
        """Set `model`, `tokenizer` and `token_rows`."""
        self.model = self.archive.model(getattr(transformers, self.auto_class), may_miss=self.may_miss)
        self.tokenizer = load_tokenizer(self.archive, self.model)
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer, truncation=self.truncation)

    def forward(self, pack: list[Item]) -> tuple[Any, dict[str, torch.Tensor]]:
        """Run the model on a pack.

        Returns:
            The model's output, and the batch (rows x tokens) that it was given.
        """
        batch = self.token_rows.batch(pack, self.device)
        return self.model(**batch), batch

    def warm_up(self) -> None:
        """Answer the example, then measure the budget of a pack."""
        super().warm_up()
        if not self.archive.settings.max_batch_tokens:
            self.packs.measure_budget(self._row_of_middle_length(), self.forward)

    def _row_of_middle_length(self) -> Item:
        """The example's first row, repeated to 64 tokens, or to as many as the model takes."""
        length = min(self.token_rows.limit, 64)
        example = self.split([self.read(self.example, {})])[0][0].inputs
        return Item({name: (values * length)[:length] for name, values in example.items()}, length)
