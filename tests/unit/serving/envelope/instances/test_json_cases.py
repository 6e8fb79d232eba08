"""What TorchServe's json envelope is tested with, answered the same by ours."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.serving.envelope.torchserve_worker import import_torchserve


def larger_column(data: list[list[float]], context: Any) -> list[int]:
    return [int(row[1] > row[0]) for row in data]


def decoded(data: list[bytes], context: Any) -> list[str]:
    return [row.decode() for row in data]


@pytest.mark.parametrize("envelope", ["JSONEnvelope", "InstancesEnvelope"])
@pytest.mark.parametrize(
    ("handle", "rows", "answers"),
    [
        (larger_column, [{"body": {"instances": [[1.0, 2.0]]}}], ['{"predictions": [1]}']),
        (larger_column, [{"body": {"instances": [[1.0, 2.0], [4.0, 3.0]]}}], ['{"predictions": [1, 0]}']),
        (
            larger_column,
            [{"body": {"instances": [[1.0, 2.0]]}}, {"data": {"instances": [[4.0, 3.0], [5.0, 6.0]]}}],
            ['{"predictions": [1]}', '{"predictions": [0, 1]}'],
        ),
        (decoded, [{"instances": [{"b64": "YQ=="}]}], ['{"predictions": ["a"]}']),
        (
            lambda data, context: [1] if all(isinstance(row["b"], bytes) for row in data) else [],
            [{"body": {"instances": [{"a": 1, "b": {"b64": "YQ=="}}], "signature_name": "x"}}],
            ['{"predictions": [1]}'],
        ),
    ],
    ids=["one", "two", "batch", "binary", "column"],
)
def test_same_answers(envelope: str, handle: Callable[..., Any], rows: Any, answers: list[str]) -> None:
    import_torchserve()
    from ts.context import Context
    from ts.torch_handler.request_envelope import instances, json

    context = Context("model", "", None, 1, None, "0.12.0")
    envelope_class = getattr(instances, envelope, None) or getattr(json, envelope)
    assert envelope_class(handle).handle(rows, context) == answers
