"""What is asked (`Query`) and the rows of work made of it (`Item`)."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from hf_handler.schema import Fields, Parameters


@dataclass(slots=True)
class Item:
    """One row of work.

    Attributes:
        inputs: What `Task.run` needs of it.
        length: Tokens (or whatever else the cost grows with); a pack costs its longest times its rows.
        group: Only items of equal group share a pack.
        source: What `Task.finish` needs beside its row.
    """

    inputs: Any
    length: int = 1
    group: Hashable = None
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
