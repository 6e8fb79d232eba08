"""Milliseconds of a forward pass of all-MiniLM-L6-v2: as it is called, as a CUDA graph, compiled."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch

from benchmarks.contenders import MINILM
from benchmarks.gpu_proof.finding import Finding, Row, Rows, judged
from benchmarks.gpu_proof.scale import Scale

ROWS = (1, 16, 64, 128)
TOKENS = 16
LEAST_COSINE = 0.999
_WARM_UPS, _MOST_TIMES = 3, 200
Forward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def run(scale: Scale, _scratch: Path, rows: Rows) -> Finding:
    """Time each way on packs of one length, and compare what they give."""
    from transformers import AutoModel

    dtype = torch.bfloat16 if scale.on_gpu else torch.float32
    model = AutoModel.from_pretrained(MINILM, dtype=dtype).to(scale.device).eval()
    problems = []
    generator = torch.Generator().manual_seed(7)
    with torch.inference_mode():
        for count in ROWS if scale.on_gpu else ROWS[:2]:
            ids = torch.randint(1000, 30000, (count, TOKENS), generator=generator).to(scale.device)
            mask = torch.ones_like(ids)
            expected = _eager(model)(ids, mask).float()
            for way, made in _ways(model, ids, mask, scale).items():
                given = made(ids, mask).float()
                cosine = torch.nn.functional.cosine_similarity(given, expected, dim=-1).min().item()
                rows.append(_row(way, count, _median_ms(made, ids, mask, scale), cosine))
                if cosine < LEAST_COSINE:
                    problems.append(f"{way}, {count} rows: least cosine {cosine:.4f}")
    said = f"packs of {TOKENS} tokens, {str(dtype).removeprefix('torch.')}"
    return judged(problems, said if scale.on_gpu else f"{said}; no graph without CUDA", rows)


def _ways(model: Any, ids: torch.Tensor, mask: torch.Tensor, scale: Scale) -> dict[str, Forward]:
    ways = {"as it is called": _eager(model)}
    if scale.on_gpu:
        ways["CUDA graph"] = _graph(model, ids, mask)
        if len(ids) == ROWS[1]:  # each shape takes half a minute to compile: one is enough to compare
            ways["torch.compile"] = torch.compile(_eager(model), dynamic=False)
    return ways


def _eager(model: Any) -> Forward:
    return lambda ids, mask: cast("torch.Tensor", model(input_ids=ids, attention_mask=mask).last_hidden_state)


def _graph(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> Forward:
    """Capture one shape; a mask of rows x 1 x tokens x tokens spares a look at its values, which waits."""
    count, tokens = ids.shape
    own_ids, own_mask = ids.clone(), mask.bool()[:, None, None, :].expand(count, 1, tokens, tokens).clone()
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UPS):
            _eager(model)(own_ids, own_mask)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = _eager(model)(own_ids, own_mask)

    def replay(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        own_ids.copy_(ids)
        own_mask.copy_(mask.bool()[:, None, None, :])
        graph.replay()
        return output

    return replay


def _median_ms(forward: Forward, ids: torch.Tensor, mask: torch.Tensor, scale: Scale) -> float:
    """Until the result is there; the median of as many as fit a third of the measurement's seconds."""
    for _ in range(_WARM_UPS):
        forward(ids, mask)
    _wait(scale)
    times: list[float] = []
    end = time.perf_counter() + scale.seconds / 3
    while len(times) < _MOST_TIMES and (not times or time.perf_counter() < end):
        began = time.perf_counter()
        forward(ids, mask)
        _wait(scale)
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def _wait(scale: Scale) -> None:
    if scale.on_gpu:
        torch.cuda.synchronize(scale.device)


def _row(way: str, count: int, milliseconds: float, cosine: float) -> Row:
    return {
        "rows": count, "way": way, "median, ms": round(milliseconds, 3),
        "texts a second": round(1000 * count / milliseconds), "least cosine": round(cosine, 5),
    }  # fmt: skip
