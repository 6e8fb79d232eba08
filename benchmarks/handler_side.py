"""One version of the reference handler in a process of its own, for handler_versions.py.

    python -m benchmarks.handler_side HANDLERS answers FOLDER    tiny models' answers, for comparison
    python -m benchmarks.handler_side HANDLERS timings FOLDER    seconds to load and answer, texts a second

HANDLERS is the folder with `huggingface_handler.py`. The model folders below FOLDER hold a manifest each and,
for answers, `requests.json`. The result is written to standard output as JSON.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SEED = 11
SHORT_BATCHES = (1, 32)
MEASURED_SECONDS = 2.0
Send = Callable[[Any], Any]


def load(folder: Path) -> Send:
    """Load a model folder with TorchServe's own loader, with no service envelope.

    Returns:
        What sends one request's body and returns its status and answer.
    """
    from ts.context import RequestProcessor
    from ts.model_loader import TsModelLoader

    service = TsModelLoader().load("model", str(folder), "huggingface_handler.py", gpu_id=None, batch_size=1)

    def send(body: Any) -> Any:
        processor = RequestProcessor({"body": {"content-type": "application/json"}})
        service.context.request_processor = [processor]
        (answer,) = service._entry_point([{"body": body}], service.context)
        return processor.get_response_status_code(), answer

    return send


def answers(folder: Path) -> dict[str, list[str]]:
    """What every model below `folder` answers, as JSON text; draws begin anew with each request."""
    import torch

    torch.set_num_threads(1)
    found = {}
    for model in sorted(path for path in folder.iterdir() if path.is_dir()):
        send = load(model)
        texts = []
        for body in json.loads((model / "requests.json").read_text()):
            torch.manual_seed(SEED)
            texts.append(json.dumps(send(body)))
        found[model.name] = texts
    return found


def timings(folder: Path, texts: Sequence[str]) -> dict[str, float]:
    """Load one model and ask it; nothing of torch or transformers is imported before.

    Returns:
        `load` and `first answer` in seconds, and for each batch size the instances answered a second: the
        median over the requests of two seconds.
    """
    started = time.perf_counter()
    send = load(folder)
    measured = {"load": time.perf_counter() - started}
    started = time.perf_counter()
    send({"instances": [texts[0]]})
    measured["first answer"] = time.perf_counter() - started
    for size in SHORT_BATCHES:
        body = {"instances": list(texts[:size])}
        send(body)
        taken, deadline = [], time.perf_counter() + MEASURED_SECONDS
        while time.perf_counter() < deadline:
            before = time.perf_counter()
            status, _ = send(body)
            taken.append(time.perf_counter() - before)
            if status != 200:
                raise SystemExit(f"the handler answered {status}")
        measured[f"{size} a request"] = size / statistics.median(taken)
    return measured


def main() -> None:
    """Do one of the two."""
    handlers, kind, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    sys.path.insert(0, handlers)
    if kind == "answers":
        result: Any = answers(folder)
    else:
        result = timings(folder, json.loads((folder / "texts.json").read_text()))
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
