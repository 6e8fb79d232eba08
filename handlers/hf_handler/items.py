"""What is asked (`Query`), and the pieces of work it is split into (`Item`)."""

import itertools
from dataclasses import dataclass
from typing import Any

from hf_handler.allowance import UNLIMITED, Allowance
from hf_handler.schema import Fields, Parameters
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
    """

    inputs: Any
    length: int = 1
    group: Any = None
    source: Any = None
    waiting: Waiting = FOREVER


@dataclass(slots=True)
class Query:
    """One instance that is to be answered, and its answer once there is one.

    Attributes:
        fields: The named inputs, checked.
        parameters: The task's, checked, defaults among them.
        request: Index of its request in TorchServe's batch; None when the envelope doesn't tell.
        truncated: Whether a text was cut.
        failure: Why there will be no prediction.
        prediction: The answer, of JSON types.
        allowance: What its request may ask for; all instances of a request have the same.
    """

    fields: Fields
    parameters: Parameters
    request: int | None = None
    truncated: bool = False
    failure: Exception | None = None
    prediction: Any = None
    allowance: Allowance = UNLIMITED
