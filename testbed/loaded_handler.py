"""A handler of this project loaded from a model folder by TorchServe's own loader, in this process."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HANDLERS = Path(__file__).parents[1] / "handlers"
NO_HEADERS: Mapping[int, Mapping[str, str]] = {}


def load(
    model_dir: Path,
    envelope: str | None = "json",
    gpu_id: int | None = None,
    handler: str = "huggingface_handler.py",
) -> Any:
    """Load with TorchServe's loader; return a function that sends request bodies and gives the answers.

    Its `headers` are of each request, by the index of its body.
    """
    from ts.context import RequestProcessor
    from ts.model_loader import TsModelLoader

    service = TsModelLoader().load(
        "model", str(model_dir), handler, gpu_id=gpu_id, batch_size=1, envelope=envelope
    )

    def send(
        *bodies: Any,
        content_type: str = "application/json",
        headers: Mapping[int, Mapping[str, str]] = NO_HEADERS,
    ) -> Any:
        processors = [
            RequestProcessor({"body": {"content-type": content_type}, **headers.get(index, {})})
            for index in range(len(bodies))
        ]
        service.context.request_processor = processors
        answers = service._entry_point([{"body": body} for body in bodies], service.context)
        processors = service.context.request_processor  # our envelope puts others there
        return SimpleNamespace(
            answers=[json.loads(a) if isinstance(a, str) else json.loads(json.dumps(a)) for a in answers],
            statuses=[processor.get_response_status_code() for processor in processors],
            headers=lambda name: [processor.get_response_header(name) for processor in processors],
            content_types=[processor.get_response_header("content-type") for processor in processors],
        )

    send.service = service  # type: ignore[attr-defined]
    return send


def write_manifest(model_dir: Path, serialized_file: str | None = None, config: str | None = None) -> None:
    """Write MAR-INF/MANIFEST.json, as torch-model-archiver does, and the model-config.yaml it names."""
    model = {"modelName": "model", "handler": "huggingface_handler.py"}
    if serialized_file:
        model["serializedFile"] = serialized_file
    if config is not None:
        model["configFile"] = "model-config.yaml"
        (model_dir / "model-config.yaml").write_text(config)
    (model_dir / "MAR-INF").mkdir(exist_ok=True)
    (model_dir / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": model}))
