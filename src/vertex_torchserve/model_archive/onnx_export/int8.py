"""int8 of a model in ONNX: of all its matrix products, or of so many that the packager's bound is kept."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from hf_handler.kinds.encoder import EncoderTask
from vertex_torchserve.model_archive.onnx_export.quiet import errors_only
from vertex_torchserve.model_archive.onnx_export.trials import COSINE, TEXTS, accuracy, opened
from vertex_torchserve.model_archive.onnx_export.unusable import UnusableError

PRODUCTS = ("MatMul", "Gemm")
# Of a model below its bound, cut into so many parts, at most so many stay in float32.
PARTS, MOST_PARTS_LEFT_OUT = 12, 4


def accurate(task: EncoderTask, file: Path, small: Path, bounds: dict[str, float]) -> str:
    """Write a model in int8 that is as near to torch as the packager asks, and say how near it is.

    All matrix products with weights are in int8 where that is near enough. Where it isn't, the first ones
    stay in float32, whose rounding goes through all the others: ever more of them, at most a third.

    Args:
        task: With the model by torch.
        file: In float32.
        small: Where to.
        bounds: The least cosine, or the least agreement, by the names in `trials`.

    Raises:
        UnusableError: The packager's bound isn't reached, or is for another kind of answer.
    """
    kind, least, mean = _tried(task, file, small, ())
    told = f"least {kind}" if kind == COSINE else kind
    if kind not in bounds:
        raise UnusableError(
            f"the accuracy of int8 in {task.name} is its {told}, {least:.4f} here, and it has no bound",
            f"give --least-{kind}",
        )
    products, best = products_of(file), least
    left_out: list[str] = []
    if least < bounds[kind]:
        for left_out in growing(parts_of(products)):
            _, least, mean = _tried(task, file, small, left_out)
            best = max(best, least)
            if least >= bounds[kind]:
                break
        else:
            raise UnusableError(
                f"int8 is below its bound: {told} {best:.4f}, --least-{kind} is {bounds[kind]}; up to "
                f"{len(left_out)} of {len(products)} matrix products were left in float32",
                f"package in float32, without --quantize, or accept less with --least-{kind}",
            )
    also = f", mean {mean:.4f}" if kind == COSINE else ""
    kept = f"; {len(left_out)} of {len(products)} matrix products stay in float32" if left_out else ""
    return f"int8: {told} {least:.4f}{also}, over {len(TEXTS)} texts; the bound is {bounds[kind]}{kept}"


def products_of(file: Path) -> list[str]:
    """Return the names of an ONNX file's matrix products with weights, in the order that they run."""
    import onnx

    graph = onnx.load(str(file), load_external_data=False).graph
    weights = {each.name for each in graph.initializer}
    return [node.name for node in graph.node if node.op_type in PRODUCTS and weights.intersection(node.input)]


def quantize(file: Path, small: Path, left_out: Sequence[str] = ()) -> None:
    """Write an ONNX file with the weights of its matrix products in int8; inputs are scaled at each call.

    A scale for each column, and all eight bits without a sign: signed ones overflow on processors without
    VNNI, which add pairs of products in 16 bits, unless one bit is given up.

    Args:
        file: In float32.
        small: Where to.
        left_out: Names of the products that stay as they are.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with errors_only(""):  # it recommends a step that large models don't need
        quantize_dynamic(
            file, small, weight_type=QuantType.QUInt8, per_channel=True, reduce_range=False,
            op_types_to_quantize=list(PRODUCTS), nodes_to_exclude=list(left_out),
        )  # fmt: skip


def parts_of(products: Sequence[str]) -> list[list[str]]:
    """Return runs of products that follow each other, as equal as possible."""
    count = min(PARTS, len(products))
    edges = [len(products) * number // count for number in range(count + 1)] if count else [0]
    return [list(products[begin:end]) for begin, end in pairwise(edges)]


def growing(parts: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return what is left out one time after the other: the first part, the first two, ..."""
    most = min(MOST_PARTS_LEFT_OUT, len(parts))
    return [[name for part in parts[:count] for name in part] for count in range(1, most + 1)]


def _tried(task: EncoderTask, file: Path, small: Path, left_out: Sequence[str]) -> tuple[str, float, float]:
    """Write it; return what is measured, its least and its mean."""
    quantize(file, small, left_out)
    return accuracy(task, opened(task, small))
