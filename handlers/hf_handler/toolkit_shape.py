"""Answers in the form of huggingface-inference-toolkit, for tasks that answer in another one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hf_handler.items import Query
from hf_handler.schema import Schema


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How an answer is written for clients of huggingface-inference-toolkit.

    Attributes:
        prediction: JSON Schema of it.
        one: Makes it of a query's prediction.
        several: Makes it of the predictions of a list of instances.
    """

    prediction: Schema
    one: Callable[[Query], Any] = lambda query: query.prediction
    several: Callable[[list[Any]], Any] = list
