"""Float32 linear layers on the CPU, computed by oneDNN where that is measured to be faster."""

import functools
import logging
import time
from collections.abc import Callable, Sequence

import torch

logger = logging.getLogger(__name__)


class PackedLinear(torch.nn.Linear):
    """A linear layer that oneDNN computes, its weight laid out as oneDNN reads it.

    torch computes float32 layers with MKL, which leaves much of an AMD CPU unused, and reads the weight in an
    order that suits no cache (benchmarks/results/linear_layers.md). Compiled models use this operator, too.
    """

    packed: torch.Tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's name)
        """Return `... x in_features` as `... x out_features`."""
        return by_onednn(input, self.packed, self.bias)


def by_onednn(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """What `torch.nn.functional.linear` returns; the weight may be packed."""
    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")  # type: ignore[no-any-return]


def pack(weight: torch.Tensor) -> torch.Tensor:
    """Return a copy in oneDNN's own layout."""
    return torch.ops.mkldnn._reorder_linear_weight(weight)  # type: ignore[no-any-return]


# Packed weights are a copy, which every worker has of its own; at most so much of a model is packed.
MOST_PACKED_BYTES = 2 * 2**30


# Less is not told from noise, and isn't worth a copy.
LEAST_GAIN = 1.1


def pack_linear_layers(model: torch.nn.Module) -> None:
    """Let oneDNN compute a model's float32 layers on the CPU, where it is measured to be faster here.

    Where it isn't, or this torch hasn't the operators, the model stays as it is.
    """
    layers = packable_layers(model)
    gain = gain_of_packing(layers[:16]) if layers else 0.0
    if gain < LEAST_GAIN:
        return
    for layer in layers:
        layer.__class__ = PackedLinear
        layer.packed = pack(layer.weight)
    logger.info("linear layers run by oneDNN: measured to be %.1f times as fast", gain)


def packable_layers(model: torch.nn.Module) -> list[torch.nn.Linear]:
    """The layers that oneDNN can compute, in the model's order, until `MOST_PACKED_BYTES` are reached."""
    layers, left = [], MOST_PACKED_BYTES
    for layer in model.modules():
        if type(layer) is not torch.nn.Linear or layer.weight.numel() == 0:
            continue  # a class of its own may compute something else; of nothing oneDNN makes no layout
        if layer.weight.dtype != torch.float32 or layer.weight.device.type != "cpu":
            continue
        left -= layer.weight.nbytes
        if left < 0:
            break
        layers.append(layer)
    return layers


def gain_of_packing(layers: Sequence[torch.nn.Linear], rows: int = 16) -> float:
    """Measure how many times as fast layers are when packed; 0 when they can't be, or give something else."""
    inputs = [torch.linspace(-1, 1, rows * layer.in_features).reshape(rows, -1) for layer in layers]
    biases = [layer.bias for layer in layers]
    weights = [layer.weight for layer in layers]
    try:
        packed = [pack(weight) for weight in weights]
        results = list(map(by_onednn, inputs, packed, biases))
    except (AttributeError, RuntimeError):
        return 0.0
    linear = torch.nn.functional.linear
    expected = map(linear, inputs, weights, biases)
    if not all(map(functools.partial(torch.allclose, rtol=1e-3, atol=1e-4), results, expected)):
        return 0.0
    return least_seconds(lambda: list(map(linear, inputs, weights, biases))) / least_seconds(
        lambda: list(map(by_onednn, inputs, packed, biases))
    )


def least_seconds(run: Callable[[], object], times: int = 5) -> float:
    """The shortest of several runs: the others were disturbed."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)
