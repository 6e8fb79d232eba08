"""What SageMaker's Hugging Face containers do where `inference.py` leaves a function out.

As in sagemaker-huggingface-inference-toolkit (handler_service.py, decoder_encoder.py).
"""

import csv
import json
import os
from http import HTTPStatus
from io import StringIO
from pathlib import Path
from typing import Any

from foreign_handler import pytorch_defaults
from foreign_handler.calls import RefusedError
from foreign_handler.media_types import CSV, JSON, NPY, bare, is_audio, is_image
from foreign_handler.values import as_json_value, opened_image

TASK = "HF_TASK"
# The end of an architecture's name, and the pipeline that it is for.
_TASKS = {
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForTokenClassification": "token-classification",
    "ForSequenceClassification": "text-classification",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "GPT2LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "text2text-generation",
    "EncoderDecoderModel": "text2text-generation",
}
_COLUMNS = ("question", "context", "inputs")


def model_fn(model_dir: str) -> Any:
    """The pipeline of transformers for the task that `HF_TASK` names, or that config.json tells.

    Raises:
        ValueError: Neither says which.
    """
    import torch
    from transformers import pipeline

    task = os.environ.get(TASK) or _task_of(Path(model_dir))
    # Its overloads are one for each task by its name, which is known only here.
    make: Any = pipeline
    return make(task=task, model=model_dir, device=0 if torch.cuda.is_available() else -1)


def input_fn(body: Any, content_type: str) -> Any:
    """What a body holds: `{"inputs": ..., "parameters": ...}`."""
    media_type = bare(content_type)
    if media_type == JSON:
        return json.loads(body)
    if media_type == CSV:
        return _rows(body)
    if media_type == NPY:
        return pytorch_defaults.decoded(body, NPY)
    if is_image(media_type):
        return {"inputs": opened_image(body)}
    if is_audio(media_type):
        return {"inputs": body}
    raise RefusedError(
        f"content type {content_type!r} is not one of {JSON}, {CSV}, {NPY}, image/..., audio/..., which are "
        "read without an input_fn",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    )


def predict_fn(data: Any, model: Any) -> Any:
    """Call the model, a pipeline as a rule, with the inputs, and the parameters by their names."""
    inputs = data.pop("inputs", data)
    parameters = data.pop("parameters", None) or {}
    return model(inputs, **parameters)


def output_fn(prediction: Any, accept: str) -> Any:
    """The prediction as JSON, CSV or NPY."""
    media_type = bare(accept.partition(",")[0])
    if media_type == CSV:
        rows = prediction if isinstance(prediction, list) else [prediction]
        text = StringIO()
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()
    return pytorch_defaults.output_fn(as_json_value(prediction), accept)


def _task_of(folder: Path) -> str:
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    names = config.get("architectures") or []
    for name in names:
        for end, task in _TASKS.items():
            if str(name).endswith(end):
                return task
    raise ValueError(
        f"without a model_fn transformers' pipeline is made: {TASK} must name its task, for config.json "
        f"tells none (architectures: {', '.join(map(str, names)) or 'none'})"
    )


def _rows(text: str) -> dict[str, Any]:
    rows = list(csv.DictReader(StringIO(text)))
    if not rows or not any(name in (rows[0] or {}) for name in _COLUMNS):
        raise RefusedError(f"the CSV needs a first line with its columns, one of {', '.join(_COLUMNS)}")
    return {"inputs": [row["inputs"] for row in rows] if "inputs" in rows[0] else rows}
