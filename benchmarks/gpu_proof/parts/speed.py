"""A model through the whole server, beside transformers' pipeline and beside the handler with no server."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.device_models import TASKS, Handler, Task
from benchmarks.gpu_busy import BusyShare
from benchmarks.gpu_proof.finding import Finding, Row, Rows, judged
from benchmarks.gpu_proof.load_client import run_load
from benchmarks.gpu_proof.scale import Scale
from benchmarks.gpu_proof.served import ROUTE, packaged, predictions, served
from benchmarks.handler_on_device import check, texts_per_second
from benchmarks.model_alone import text

CHECKED_TEXTS = 32


@dataclass(frozen=True)
class Model:
    """What is measured.

    Attributes:
        task: Of device_models.py: the folder, the handler's parameters, how its answers are checked.
        pipeline: The task of transformers' pipeline.
        call: What a call of the pipeline is given, besides texts and their number.
        several: Whether a request may hold several texts.
    """

    task: Task
    pipeline: str
    call: dict[str, Any]
    several: bool


def measure(model: Model, scale: Scale, scratch: Path, rows: Rows) -> Finding:
    """Check the answers in float32, then measure the three ways in the dtype that the handler chooses."""
    folder = scratch / "model"
    model.task.save(folder)
    check(model.task, folder, scale.device, CHECKED_TEXTS if scale.on_gpu else scale.clients[-1])
    steps = _through_the_server(model, scale, packaged(folder, scratch / "store"), rows)
    handler = Handler(folder, scale.device)
    pipeline = _pipeline(model, folder, scale, handler)
    ways: dict[str, Callable[[Sequence[str]], Any]] = {
        "handler, no server": lambda texts: handler.predict(texts, model.task.parameters),
        "transformers pipeline": lambda texts: pipeline(list(texts), batch_size=len(texts), **model.call),
    }
    for at_once in scale.clients:
        texts = [text(number) for number in range(at_once)]
        for way, call in ways.items():
            call(texts)  # kernels chosen, memory taken
            with BusyShare(scale.device) as busy:
                rate = texts_per_second(call, texts, scale.seconds)
            rows.append(
                {"way": way, "at once": at_once, "texts a second": round(rate, 1), "GPU busy": busy.share}
            )
    problems = [
        f"{row['at once']} clients: {row['failed']} requests failed" for row in rows if row.get("failed")
    ]
    said = (
        f"answers right in float32; measured in {str(handler.dtype).removeprefix('torch.')}: {_ratios(rows)}"
    )
    return judged(problems, said, rows, steps)


def _through_the_server(model: Model, scale: Scale, store: Path, rows: Rows) -> list[Row]:
    """What clients see who send one text a request, and then several."""
    steps: list[Row] = []
    parameters = dict(model.task.parameters)
    with served(store) as (_, port):
        for texts in (1, scale.texts) if model.several and scale.texts else (1,):
            for clients in scale.clients:
                body = {"instances": [text(number) for number in range(texts)], "parameters": parameters}
                predictions(port, body)
                busy = BusyShare(scale.device)
                step = run_load(port, ROUTE, parameters, texts, clients, scale.seconds, busy)
                row = {
                    "way": "server" if texts == 1 else f"server, {texts} texts a request",
                    "at once": clients, "texts a second": round(texts * step.requests_per_second, 1),
                    "GPU busy": busy.share, "median, ms": step.median_ms, "95 of 100, ms": step.p95_ms,
                    "failed": step.failed,
                }  # fmt: skip
                rows.append(row)
                if texts == 1:
                    steps.append(asdict(step))
    return steps


def _pipeline(model: Model, folder: Path, scale: Scale, handler: Handler) -> Any:
    import transformers

    transformers.logging.set_verbosity_error()
    pipeline = transformers.pipeline(
        model.pipeline, model=str(folder), device=scale.device, dtype=handler.dtype
    )
    if pipeline.tokenizer.pad_token_id is not None:
        pipeline.tokenizer.padding_side = "left" if model.pipeline == "text-generation" else "right"
    return pipeline


def _ratios(rows: list[Row]) -> str:
    """The server's speed over each other way's, by how many ask at once."""
    found = {(row["way"], row["at once"]): row["texts a second"] for row in rows}
    others = ("handler, no server", "transformers pipeline")
    numbers = sorted({at_once for _, at_once in found})
    shown = []
    for other in others:
        ratios = [f"{found['server', each] / found[other, each]:.2f}" for each in numbers]
        shown.append(f"the server is {' / '.join(ratios)} of the {other}")
    return f"{'; '.join(shown)}, at {' / '.join(map(str, numbers))} at once"


def task_named(name: str) -> Task:
    """A task of device_models.py."""
    return next(task for task in TASKS if task.name == name)
