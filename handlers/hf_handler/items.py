"""What is asked (`Query`) and the rows of work made of it (`Item`)."""

import itertools
from dataclasses import dataclass
from typing import Any

from hf_handler.schema import Fields, Parameters

_packs = itertools.count()


def own_pack() -> int:
    """Return a number that no other item of this process gets: as its group, it has a pack to itself.

    Never group by an object's `id`: that of an object that is gone is given to the next.
    """
    return next(_packs)


@dataclass(slots=True)
class Item:
    """One row of work.

    Attributes:
        inputs: What `Task.run` needs of it.
        length: Tokens (or whatever else the cost grows with); a pack costs its longest times its rows.
        group: Hashable; only items of equal group share a pack, and `Task.run` finds there what they share.
        source: What `Task.finish` needs beside its row.
    """

    inputs: Any
    length: int = 1
    group: Any = None
    source: Any = None


@dataclass(slots=True)
class Query:
    """One instance on its way to its prediction.

    Attributes:
        fields: The named inputs, checked.
        parameters: The task's, checked, with defaults.
        request: Index of its request in TorchServe's batch; None when the envelope doesn't tell.
        truncated: Whether a text was cut.
        failure: Why there will be no prediction.
        prediction: The answer, of JSON types.
    """

    fields: Fields
    parameters: Parameters
    request: int | None = None
    truncated: bool = False
    failure: Exception | None = None
    prediction: Any = None
