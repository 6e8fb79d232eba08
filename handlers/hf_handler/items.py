"""What is asked (`Query`), and the pieces of work it is split into (`Item`)."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_handler.allowance import UNLIMITED, Allowance
from hf_handler.replies import Reply
from hf_handler.schema import Fields, Parameters, Refused
from hf_handler.waiting import FOREVER, Waiting

_packs = itertools.count()


def own_pack() -> int:
    """Return a number that no other item of this process gets: with it as group, an item runs alone.

    An object's `id` would not do: Python gives it to another object once the first one is gone.
    """
    return next(_packs)


@dataclass(slots=True)
class Item:
    """One piece of work; a model gives one row for it.

    Attributes:
        inputs: What `Task.run` needs of it.
        length: Tokens, or another count that the cost grows with. A pack costs its items' count times the
            length of the longest.
        group: Hashable; only items of equal group share a pack, and `Task.run` finds there what they share.
        source: What `Task.finish` needs beside its row.
        waiting: Whether somebody waits for the answer that it is for.
        noted: What was noted of the tokens of each sequence (`TokenLog`) that was written for it.
        new_tokens: The most that are written for it, where items of its group may have different ones.
    """

    inputs: Any
    length: int = 1
    group: Any = None
    source: Any = None
    waiting: Waiting = FOREVER
    noted: Any = None
    new_tokens: int | None = None


@dataclass(slots=True)
class Query:
    """One instance that is to be answered, and its answer once there is one.

    Attributes:
        fields: The named inputs, checked.
        parameters: The task's, checked, defaults among them.
        request: Index of its request in TorchServe's batch; None when the envelope doesn't tell.
        truncated: Whether a text was cut.
        failure: Why there will be no prediction.
        prediction: The answer, of JSON types; vectors may be arrays of numpy.
        allowance: What its request may ask for; all instances of a request have the same.
        parts: Where it is a list of instances, these; its answer is the list of theirs.
        tokens: That the model read for it.
        written: Tokens that the model wrote for it.
        reply: Makes the answer of the prediction, where the instance came in a form of another API.
        rest: The end of an answer whose parts have been sent in such a form.
    """

    fields: Fields
    parameters: Parameters
    request: int | None = None
    truncated: bool = False
    failure: Exception | None = None
    prediction: Any = None
    allowance: Allowance = UNLIMITED
    parts: Sequence["Query"] = ()
    tokens: int = 0
    written: int = 0
    reply: Reply | None = None
    rest: str | None = None

    def gather(self) -> None:
        """Make the answer of those of the parts."""
        self.tokens = sum(part.tokens for part in self.parts)
        self.truncated = any(part.truncated for part in self.parts)
        self.prediction = [part.prediction for part in self.parts]
        self.rest = next((part.rest for part in self.parts if part.rest is not None), None)
        for position, part in enumerate(self.parts):
            if part.failure is not None:
                self.failure = part.failure
                if isinstance(part.failure, Refused):
                    self.failure = Refused(f"[{position}]: {part.failure}", part.failure.status)
                return
