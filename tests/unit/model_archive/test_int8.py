"""Which matrix products of a model stay in float32 where int8 of all of them isn't near enough."""

import pytest

from vertex_torchserve.packaged_files import packaged_file


@pytest.fixture(autouse=True)
def _with_the_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(packaged_file("handlers/huggingface_handler.py").parent))


def test_parts_are_runs_of_products_as_equal_as_possible() -> None:
    from vertex_torchserve.model_archive.onnx_export.int8 import parts_of

    names = [str(number) for number in range(36)]
    assert parts_of(names) == [names[begin : begin + 3] for begin in range(0, 36, 3)]
    assert parts_of(names[:3]) == [["0"], ["1"], ["2"]]
    assert [len(part) for part in parts_of(names[:13])] == [1] * 11 + [2]
    assert parts_of([]) == []


def test_ever_more_is_left_out_up_to_a_third() -> None:
    from vertex_torchserve.model_archive.onnx_export.int8 import growing

    assert growing([["a"], ["b", "c"], ["d"], ["e"], ["f"]]) == [
        ["a"], ["a", "b", "c"], ["a", "b", "c", "d"], ["a", "b", "c", "d", "e"],
    ]  # fmt: skip
    assert growing([]) == []
