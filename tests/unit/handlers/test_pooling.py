"""The pooling modes of the reference handler against numbers worked out by hand."""

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch


@pytest.fixture(scope="module")
def pooling(handler_path: None) -> ModuleType:
    return importlib.import_module("hf_handler.text.pooling")


# One text of three tokens, (1, -2), (3, -4), (5, -6); padding holds (9, 9), which must never show.
BY_HAND = {
    "cls": [1, -2],
    "max": [5, -2],
    "mean": [3, -4],
    "mean_sqrt_len_tokens": [9 / 3**0.5, -12 / 3**0.5],
    "weightedmean": [(1 + 2 * 3 + 3 * 5) / 6, -(2 + 2 * 4 + 3 * 6) / 6],
    "lasttoken": [5, -6],
}


@pytest.mark.parametrize("mode", BY_HAND)
@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_pooling_by_hand(pooling: ModuleType, mode: str, padding_side: str) -> None:
    tokens, padding = [[1.0, -2.0], [3.0, -4.0], [5.0, -6.0]], [[9.0, 9.0]]
    if padding_side == "left":
        hidden, mask = padding + tokens, [0, 1, 1, 1]
    else:
        hidden, mask = tokens + padding, [1, 1, 1, 0]
    full = [[7.0, 7.0]] * 4  # a neighbour without padding: constant vectors
    pooled = pooling.POOLING[mode](torch.tensor([hidden, full]), torch.tensor([mask, [1, 1, 1, 1]]))
    assert pooled[0].tolist() == pytest.approx(BY_HAND[mode], rel=1e-6)
    assert pooled[1].tolist() == pytest.approx([14, 14] if mode == "mean_sqrt_len_tokens" else [7, 7])


def test_every_mode_is_checked(pooling: ModuleType) -> None:
    assert set(pooling.POOLING) == set(BY_HAND)


@pytest.mark.parametrize(
    ("config", "modes"),
    [
        ({"word_embedding_dimension": 8, "pooling_mode_cls_token": True}, ["cls"]),
        (
            {
                "pooling_mode_lasttoken": True,
                "pooling_mode_mean_tokens": True,
                "pooling_mode_max_tokens": True,
            },
            ["max", "mean", "lasttoken"],
        ),
        ({"pooling_mode_weightedmean_tokens": True}, ["weightedmean"]),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, ["mean_sqrt_len_tokens"]),
        ({"embedding_dimension": 8, "pooling_mode": "lasttoken"}, ["lasttoken"]),
        ({"pooling_mode": ["mean", "cls"], "pooling_mode_max_tokens": True}, ["mean", "cls"]),
        ({"pooling_mode_mean_tokens": False}, ["mean"]),
        ({}, ["mean"]),
    ],
)
def test_modes_a_config_names(pooling: ModuleType, config: dict[str, Any], modes: list[str]) -> None:
    assert pooling.pooling_modes(config) == modes


def test_an_unknown_mode_is_named_with_the_accepted_ones(pooling: ModuleType) -> None:
    with pytest.raises(
        ValueError, match=r"unknown pooling modes: attention; accepted: cls, max, mean,.*fix: "
    ):
        pooling.pooling_modes({"pooling_mode": ["mean", "attention"]})
