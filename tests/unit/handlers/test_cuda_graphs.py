"""What is decided without a GPU: to which shapes packs are filled up, and when passes may be replayed."""

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("handler_path")


@pytest.mark.parametrize(
    ("limit", "lengths"),
    [(512, (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)), (100, (8, 16, 24, 32, 48, 64, 96, 100))],
)
def test_no_row_is_filled_up_beyond_what_the_model_takes(limit: int, lengths: tuple[int, ...]) -> None:
    from hf_handler.engines.cuda_graphs import lengths_up_to

    assert lengths_up_to(limit) == lengths


def test_rows_are_filled_up_to_the_next_length() -> None:
    import torch

    from hf_handler.text.padding import Padding

    pad = Padding({"input_ids": 9, "attention_mask": 0}, left=False)
    rows = [{"input_ids": [1, 2, 3]}, {"input_ids": [4]}]
    device = torch.device("cpu")
    assert pad(rows, device, (2, 4, 8))["input_ids"].tolist() == [[1, 2, 3, 9], [4, 9, 9, 9]]
    assert pad(rows, device, (2, 4, 8))["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 0, 0, 0]]
    assert pad(rows, device, (2,))["input_ids"].tolist() == [[1, 2, 3], [4, 9, 9]]


@pytest.mark.parametrize(
    ("setting", "replayed"),
    [
        ({}, True),
        ({"cuda_graphs": "never"}, False),
        ({"torch_compile": True}, False),
        ({"device_map": "auto"}, False),
    ],
)
def test_the_operator_decides(setting: dict[str, Any], replayed: bool) -> None:
    from hf_handler.engines.cuda_graphs import can_be_replayed
    from hf_handler.settings import Settings

    assert can_be_replayed(Settings(**setting)) is replayed
