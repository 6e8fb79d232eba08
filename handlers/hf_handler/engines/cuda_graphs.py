"""An encoder on a GPU whose forward passes are recorded once for each shape, and replayed: CUDA graphs."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from transformers.utils import ModelOutput

from hf_handler.engines.trial import difference
from hf_handler.settings import Settings

logger = logging.getLogger(__name__)

# What packs are filled up to. Rows that are added cost next to nothing as long as a pass takes the time in
# which its kernels are launched, which is when graphs are used at all.
ROWS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128)
TOKENS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
# A pass that takes longer than the shortest by more than this isn't bound by its launches.
LAUNCH_BOUND = 1.5
LEAST_GAIN = 1.2
# As trial.py counts differences. Other rows beside a text lead to other kernels, which add in another order.
MOST_DIFFERENCE = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 0.1}
# What graphs keep of the GPU's memory: the outputs of each. fill-mask has 60 kB for each token.
MOST_BYTES, MOST_BYTES_OF_ONE = 2**29, 2**26
_WARM_UPS = 2  # libraries take their memory at the first pass
_TIMES = 5
Batch = Mapping[str, torch.Tensor]


class GraphedModel:
    """A model of transformers on a GPU, called as it is; passes of few tokens are replayed.

    Its kernels are launched one by one in some milliseconds of Python, which a GPU waits for when packs are
    small. A graph of them is launched at once.

    Args:
        model: Of transformers; its outputs are tensors with a row for each row of the inputs.
        most_tokens: Larger packs, as they are filled up, run as without graphs.
    """

    def __init__(self, model: Any, most_tokens: int) -> None:
        self._model = model
        self._most_tokens = most_tokens
        self._graphs: dict[tuple[object, ...], _Graph | None] = {}
        self._pool = torch.cuda.graph_pool_handle()
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, **batch: torch.Tensor) -> Any:
        """Run the model.

        Args:
            batch: Integers, `rows x tokens`, on the GPU.

        Returns:
            What the model returns; tensors of their own.
        """
        rows, tokens = batch["input_ids"].shape
        filled = next((count for count in ROWS if count >= rows), None)
        if filled is None or filled * tokens > self._most_tokens:
            return self._model(**batch)
        shape = (filled, tokens, *batch)
        if shape not in self._graphs:
            self._graphs[shape] = self._recorded(filled, batch) if self._bytes < MOST_BYTES else None
        graph = self._graphs[shape]
        return self._model(**batch) if graph is None else graph.replay(batch)

    def _recorded(self, rows: int, batch: Batch) -> "_Graph | None":
        """Return the graph of a shape; None where the model can't be recorded, or its graph gives another."""
        try:
            graph = _Graph(self._model, rows, batch, self._pool)
            apart = difference(self._model, lambda **inputs: graph.replay(inputs), [batch])
        except RuntimeError as error:
            logger.warning("a pass of %s is not recorded: %s", tuple(batch["input_ids"].shape), error)
            return None
        if apart > MOST_DIFFERENCE[self._model.dtype]:
            logger.warning("a recorded pass gives another result (by %.1e) and isn't used", apart)
            return None
        self._bytes += graph.bytes
        return graph


class _Graph:
    """The passes of one shape.

    Args:
        model: What is recorded.
        rows: As many as `batch` has, or more.
        batch: Inputs.
        pool: The memory of all graphs; no two of them run at a time.

    Attributes:
        bytes: What it keeps of the GPU's memory, beside what all use.
    """

    def __init__(self, model: Any, rows: int, batch: Batch, pool: Any) -> None:
        # Rows that no call fills hold a text, too: a row of padding alone may become NaN.
        self._inputs = {
            name: value[:1].expand(rows, *value.shape[1:]).clone() for name, value in batch.items()
        }
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                model(**self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
            output = model(**self._inputs)
        self._outputs = tensors_of(output)
        self.bytes = bytes_of(self._outputs)

    def replay(self, batch: Batch) -> ModelOutput:
        """Run it on inputs of at most its rows; the next replay leaves what is returned as it is."""
        rows = len(batch["input_ids"])
        for name, value in batch.items():
            self._inputs[name][:rows].copy_(value)
        self._graph.replay()
        return ModelOutput(**{name: value[:rows].clone() for name, value in self._outputs.items()})


def tensors_of(output: Any) -> dict[str, torch.Tensor]:
    """Return a model's outputs that are tensors, by their names."""
    return {name: value for name, value in output.items() if isinstance(value, torch.Tensor)}


def bytes_of(tensors: Mapping[str, torch.Tensor]) -> int:
    """Return the memory of tensors."""
    return sum(tensor.nbytes for tensor in tensors.values())


def can_be_replayed(settings: Settings) -> bool:
    """Whether the operator's settings leave the model on one GPU, run by torch as it is."""
    return settings.cuda_graphs == "auto" and not settings.torch_compile and not settings.device_map


def lengths_up_to(limit: int) -> Sequence[int]:
    """Return what rows of tokens are filled up to, for a model that takes at most `limit` tokens."""
    return (*(count for count in TOKENS if count < limit), limit)


def decision(model: Any, batch_of: Callable[[int, int], Batch]) -> dict[str, Any]:
    """Decide up to how many tokens passes are replayed.

    Args:
        model: On a GPU.
        batch_of: Makes a batch of so many rows of so many tokens.

    Returns:
        `tokens`, 0 where nothing is gained or the model can't be recorded, and `why` in words.
    """
    one = batch_of(1, TOKENS[1])
    least = _seconds_of(model, one)
    with torch.inference_mode():
        output = model(**one)
    if not isinstance(output, ModelOutput):
        return {"tokens": 0, "why": f"the model gives a {type(output).__name__}, which isn't transformers'"}
    bytes_a_token = bytes_of(tensors_of(output)) / one["input_ids"].numel()
    tokens, length = 0, TOKENS[3]
    for rows in (2, 4, 8, 16, 32, 64, 128, 256, 512):
        if rows * length * bytes_a_token > MOST_BYTES_OF_ONE:
            break
        if _seconds_of(model, batch_of(rows, length)) > LAUNCH_BOUND * least:
            break
        tokens = rows * length
    graphed = GraphedModel(model, tokens)
    replayed = _seconds_of(graphed, one)
    why = f"one short text takes {1000 * replayed:.2f} ms replayed, {1000 * least:.2f} ms without"
    if replayed * LEAST_GAIN > least:
        return {"tokens": 0, "why": why}
    return {"tokens": tokens, "why": f"{why}; packs of up to {tokens} tokens gain"}


def _seconds_of(model: Any, batch: Batch) -> float:
    """The shortest of some passes, until the GPU is done."""
    times = []
    with torch.inference_mode():
        for _ in range(_WARM_UPS + _TIMES):
            torch.cuda.synchronize()
            began = time.perf_counter()
            model(**batch)
            torch.cuda.synchronize()
            times.append(time.perf_counter() - began)
    return min(times[_WARM_UPS:])
