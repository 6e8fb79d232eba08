"""Float32 linear layers on the CPU, computed by oneDNN where that is measured to be faster.

torch computes such layers with MKL, which leaves much of an AMD CPU unused, and reads the weights in an order
that suits no cache. oneDNN reads a copy of them that it lays out itself
(docs/decisions/0008-onednn-linear-layers.md; figures: benchmarks/results/linear_layers.md).
"""

import functools
import logging
import time
from collections.abc import Callable, Sequence
from itertools import accumulate

import torch

from hf_handler.decisions import decided_once

logger = logging.getLogger(__name__)

# The copies are each worker's own. So much of a model is copied at most, its first layers before the others.
MOST_COPIED_BYTES = 2 * 2**30

# How many times as fast oneDNN must be. A smaller gain can't be told from noise, and isn't worth a copy.
LEAST_GAIN = 1.1

# What is measured: so many layers, of so many bytes, which no cache holds; one where they are larger.
MEASURED_LAYERS, MEASURED_BYTES = 16, 64 * 2**20
MEASURED_ROWS = 16


class OneDnnLinear(torch.nn.Linear):
    """A linear layer that oneDNN computes.

    Attributes:
        onednn_weight: A copy of `weight` in oneDNN's layout. `weight` stays: other layers may share it.
    """

    onednn_weight: torch.Tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's name)
        """Return `... x in_features` as `... x out_features`."""
        return by_onednn(input, self.onednn_weight, self.bias)


def by_onednn(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Compute what `torch.nn.functional.linear` does, by oneDNN.

    Args:
        rows: Float32, `... x in_features`.
        weight: `out_features x in_features`, best in oneDNN's layout.
        bias: `out_features`, or None.

    Returns:
        `... x out_features`.
    """
    # Not torch's public interface: compiled models (torch.compile) use this operator, too.
    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")  # type: ignore[no-any-return]


def in_onednn_layout(weight: torch.Tensor) -> torch.Tensor:
    """Return a copy of a weight (`out_features x in_features`) in oneDNN's own layout."""
    return torch.ops.mkldnn._reorder_linear_weight(weight)  # type: ignore[no-any-return]


def use_onednn(model: torch.nn.Module) -> None:
    """Let oneDNN compute a model's float32 layers on the CPU, where it is measured to be faster here.

    Where it isn't, or this torch hasn't the operators, the model stays as it is.
    """
    layers = layers_for_onednn(model)
    if not layers:
        return
    gain = decided_once("linear_layers", lambda: measured_gain(measured_of(layers)))
    if gain < LEAST_GAIN:
        return
    for layer in layers:
        layer.onednn_weight = in_onednn_layout(layer.weight)
        layer.__class__ = OneDnnLinear
    logger.info("linear layers run by oneDNN: measured to be %.1f times as fast", gain)


def layers_for_onednn(model: torch.nn.Module) -> list[torch.nn.Linear]:
    """Return the first layers that oneDNN can compute, of `MOST_COPIED_BYTES` at most."""
    layers, left = [], MOST_COPIED_BYTES
    for layer in model.modules():
        if type(layer) is not torch.nn.Linear or layer.weight.numel() == 0:
            continue  # a subclass may compute something else; for an empty weight oneDNN has no layout
        if layer.weight.dtype != torch.float32 or layer.weight.device.type != "cpu":
            continue
        left -= layer.weight.nbytes
        if left < 0:
            break
        layers.append(layer)
    return layers


def measured_of(layers: Sequence[torch.nn.Linear]) -> list[torch.nn.Linear]:
    """Return the first layers, as many as are measured."""
    sizes = accumulate(layer.weight.nbytes for layer in layers)
    within = sum(size <= MEASURED_BYTES for size in sizes)
    return list(layers[: max(1, min(MEASURED_LAYERS, within))])


def measured_gain(layers: Sequence[torch.nn.Linear]) -> float:
    """Return the gain of oneDNN; 0 where it can't compute the layers."""
    try:
        return gain_of_onednn(layers, [in_onednn_layout(layer.weight) for layer in layers])
    except (AttributeError, RuntimeError):
        return 0.0


def gain_of_onednn(layers: Sequence[torch.nn.Linear], copies: Sequence[torch.Tensor]) -> float:
    """Measure how many times as fast layers are by oneDNN, with `MEASURED_ROWS` rows.

    Args:
        layers: On the CPU, float32.
        copies: Their weights in oneDNN's layout.

    Returns:
        The ratio of times; 0 where the results differ by more than rounding.

    Raises:
        AttributeError: This torch has no such operator.
        RuntimeError: oneDNN can't compute such a layer here.
    """
    rows = MEASURED_ROWS
    inputs = [torch.linspace(-1, 1, rows * layer.in_features).reshape(rows, -1) for layer in layers]
    biases = [layer.bias for layer in layers]
    weights = [layer.weight for layer in layers]
    linear = torch.nn.functional.linear
    results = map(by_onednn, inputs, copies, biases)
    expected = map(linear, inputs, weights, biases)
    if not all(map(functools.partial(torch.allclose, rtol=1e-3, atol=1e-4), results, expected)):
        return 0.0
    return least_seconds(lambda: list(map(linear, inputs, weights, biases))) / least_seconds(
        lambda: list(map(by_onednn, inputs, copies, biases))
    )


def least_seconds(run: Callable[[], object], times: int = 5) -> float:
    """Return the seconds of the shortest of several runs: other programs made the longer ones slow."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)
