"""torch's export of an encoder to ONNX."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from hf_handler.engines.onnx_model import OUTPUTS
from hf_handler.kinds.encoder import EncoderTask
from vertex_torchserve.model_archive.onnx_export.quiet import errors_only
from vertex_torchserve.model_archive.onnx_export.trials import row_of

# The first that has layer normalization as one operator.
OPSET = 18
# Protocol buffers end at 2 GiB; what is larger has its weights in a file beside it.
MOST_BYTES_IN_ONE_FILE = 1_500_000_000
_OPERATOR = re.compile(r"(?:aten|prims|torchvision)[.:]+[A-Za-z_]\w*(?:\.\w+)*")


class Outputs(torch.nn.Module):
    """An encoder that gives the outputs that its task needs, and no others.

    Args:
        model: Of transformers.
        names: Of the outputs.
    """

    def __init__(self, model: Any, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Return the outputs for rows x tokens, in the order of their names."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, **types)
        return tuple(output[name] for name in self.names)


def traced(task: EncoderTask, file: Path) -> None:
    """Write the model of a task as ONNX, as one run of it goes, for any number of rows and tokens.

    It takes a second or two. What the model does differently for other lengths is lost: hold the file against
    torch.

    Args:
        task: Loaded by torch, in float32.
        file: Where to.

    Raises:
        Exception: Whatever torch couldn't do; `reason` says it shortly.
    """
    model, batch, names = _asked(task)
    with _quiet(), _written_out(task.model):
        torch.onnx.export(
            model, tuple(batch.values()), str(file), dynamo=False, opset_version=OPSET,
            input_names=list(batch), output_names=names,
            dynamic_axes={name: {0: "rows", 1: "tokens"} for name in batch},
        )  # fmt: skip


def captured(task: EncoderTask, file: Path) -> None:
    """Write the model of a task as ONNX, from the graph that `torch.export` makes; takes a minute or more.

    Args:
        task: Loaded by torch, in float32.
        file: Where to.

    Raises:
        Exception: Whatever torch couldn't do; `reason` says it shortly.
    """
    model, batch, names = _asked(task)
    sizes = {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens")}
    weights = sum(value.nbytes for value in task.model.state_dict().values())
    with _quiet(), _written_out(task.model):
        program = torch.onnx.export(
            model, (), kwargs=batch, dynamo=True, opset_version=OPSET, verbose=False,
            input_names=list(batch), output_names=names, dynamic_shapes=dict.fromkeys(batch, sizes),
        )  # fmt: skip
        without_places(program.model)
        program.save(str(file), external_data=weights > MOST_BYTES_IN_ONE_FILE)


def _asked(task: EncoderTask) -> tuple[torch.nn.Module, dict[str, torch.Tensor], list[str]]:
    """Return what is exported, what it is run with, and the names of its outputs."""
    names = [each[0] for each in OUTPUTS[task.auto_class]]
    batch = task.token_rows.batch([row_of(task, length) for length in (7, 5)], torch.device("cpu"))
    ordered = ("input_ids", "attention_mask", "token_type_ids")  # as `Outputs` takes them
    return Outputs(task.model, names).eval(), {name: batch[name] for name in ordered if name in batch}, names


@contextlib.contextmanager
def _written_out(model: Any) -> Iterator[None]:
    """With the attention of a model of transformers as its products and sums, while the block runs.

    Exported from torch's one operator for it, every layer also looks for rows that attend to nothing, which
    our rows never are: all-MiniLM-L6-v2 takes 1.02 to 1.3 times as long.
    """
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch advises of its own code."""
    with errors_only("torch.onnx"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def without_places(model: Any) -> None:
    """Take out where in the source each node comes from: paths of this machine, other bytes on another."""
    for graph in (model.graph, *(function.graph for function in model.functions.values())):
        graph.metadata_props.clear()
        for node in graph.all_nodes():
            node.metadata_props.clear()
            for value in node.outputs:
                value.metadata_props.clear()
    model.metadata_props.clear()


def reason(error: BaseException) -> str:
    """Return in a line what torch couldn't export, with the operator where it names one."""
    texts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        texts.append(str(seen))
        seen = seen.__cause__ or seen.__context__
    operator = next((found[0] for text in reversed(texts) if (found := _OPERATOR.search(text))), None)
    lines = [line.strip() for line in texts[-1].splitlines() if line.strip()]
    last = lines[-1] if lines else type(error).__name__
    told = f"operator {operator}: " if operator else ""
    return f"{told}{last[:300]}"
