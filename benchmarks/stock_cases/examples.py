"""Handlers such as TorchServe's examples have them, with models that are made here, and its own handlers."""

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

from testbed.tiny_models import make

from .case import Ask, Case, written

# Rows and no instances: what most handlers of TorchServe read.
TEXT_OF_ROWS = """\
import json
import os

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from ts.torch_handler.base_handler import BaseHandler


class SequenceClassifier(BaseHandler):
    def initialize(self, context):
        folder = context.system_properties["model_dir"]
        with open(os.path.join(folder, "setup_config.json")) as file:
            self.longest = json.load(file)["max_length"]
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        self.initialized = True

    def preprocess(self, data):
        texts = []
        for row in data:
            text = row.get("data")
            if text is None:
                text = row.get("body")
            if isinstance(text, (bytes, bytearray)):
                text = text.decode("utf-8")
            texts.append(text)
        options = {"max_length": self.longest, "truncation": True, "padding": True, "return_tensors": "pt"}
        return self.tokenizer(texts, **options)

    def inference(self, inputs):
        with torch.no_grad():
            return self.model(**inputs).logits.argmax(dim=1).tolist()

    def postprocess(self, classes):
        return [self.model.config.id2label[number] for number in classes]
"""
PICTURE_OF_ROWS = """\
import io

import numpy
import torch
from PIL import Image
from ts.torch_handler.base_handler import BaseHandler


class Digits(BaseHandler):
    def preprocess(self, data):
        pictures = []
        for row in data:
            picture = Image.open(io.BytesIO(row.get("data") or row.get("body"))).convert("L")
            pictures.append(torch.as_tensor(numpy.array(picture), dtype=torch.float32).flatten())
        return torch.stack(pictures)

    def postprocess(self, scores):
        return scores.argmax(1).tolist()
"""
# Takes both: a row of TorchServe's, and an instance of an envelope.
ROWS_OR_INSTANCES = """\
def handle(data, context):
    if data is None:
        return None
    return [len(row["body"] if isinstance(row, dict) and "body" in row else row) for row in data]
"""
SLOW = """\
import time


class Slow:
    def initialize(self, context):
        self.delay = context.model_yaml_config["handler"]["delay_seconds"]

    def handle(self, data, context):
        time.sleep(self.delay)
        return [f"after {self.delay} s"] * len(data)
"""
ASYNC = """\
import asyncio


class Handler:
    def initialize(self, context):
        pass

    async def handle(self, data, context):
        await asyncio.sleep(0.01)
        return [row["body"].upper() for row in data]
"""
STEPS = """\
class Handler:
    def initialize(self, context):
        context.cache = {}

    def handle(self, data, context):
        answers = []
        context.stopping_criteria = []
        for name in context.request_ids.values():
            step = context.cache[name] = context.cache.get(name, 0) + 1
            context.stopping_criteria.append(lambda _, step=step: step >= 3)
            answers.append(f"t{step} ")
        return answers
"""
STREAM = """\
from ts.protocol.otf_message_handler import send_intermediate_predict_response


def handle(data, context):
    if data is None:
        return None
    for part in ("one ", "two "):
        send_intermediate_predict_response([part], context.request_ids, "a part", 200, context)
    return ["three"]
"""
LABELS = {"0": "even", "1": "odd"}
MODEL_FILE = """\
import torch


class WeightedSum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sum = torch.nn.Linear(2, 1)

    def forward(self, rows):
        return self.sum(rows)
"""
PNG_ANSWER = """\
import io

from PIL import Image


def handle(data, context):
    if data is not None:
        picture = io.BytesIO()
        Image.new("RGB", (2, 2)).save(picture, "PNG")
        context.set_response_content_type(0, "image/png")
        return [picture.getvalue()]
"""


def _classifier(folder: Path) -> Path:
    model = make("text-classification", folder / "model")
    files = {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    files["setup_config.json"] = json.dumps({"max_length": 32}).encode()
    return written(folder / "store", TEXT_OF_ROWS, files, serializedFile="model.safetensors")


def traced() -> bytes:
    """A TorchScript program that adds the numbers of each row."""
    import torch

    class RowSum(torch.nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows.sum(dim=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        program = torch.jit.trace(RowSum(), torch.ones(2, 3))  # type: ignore[no-untyped-call]
    content = io.BytesIO()
    torch.jit.save(program, content)
    return content.getvalue()


def _digits(folder: Path) -> Path:
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(64, 10)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.layer(rows)
            return scores

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        program = torch.jit.trace(Net().eval(), torch.ones(1, 64))  # type: ignore[no-untyped-call]
    content = io.BytesIO()
    torch.jit.save(program, content)
    files = {"model.pt": content.getvalue()}
    return written(folder, PICTURE_OF_ROWS, files, serializedFile="model.pt")


def _base_handler(folder: Path) -> Path:
    files = {"model.pt": traced()}
    return written(folder, None, files, handler="base_handler", serializedFile="model.pt")


def state_dict() -> bytes:
    """Weights of the model in `MODEL_FILE`."""
    import torch

    content = io.BytesIO()
    torch.save({"sum.weight": torch.tensor([[2.0, 3.0]]), "sum.bias": torch.tensor([1.0])}, content)
    return content.getvalue()


def _eager(folder: Path) -> Path:
    files: Mapping[str, str | bytes] = {"model.pt": state_dict(), "net.py": MODEL_FILE}
    return written(folder, None, files, handler="base_handler", serializedFile="model.pt", modelFile="net.py")


def _image_classifier(folder: Path) -> Path:
    files = {"model.pt": traced(), "index_to_name.json": json.dumps(LABELS).encode()}
    return written(folder, None, files, handler="image_classifier", serializedFile="model.pt")


def _picture() -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.new("L", (8, 8), 200).save(content, "PNG")
    return content.getvalue()


def _base64(content: bytes) -> dict[str, dict[str, str]]:
    from base64 import b64encode

    return {"body": {"b64": b64encode(content).decode()}}


_INSTANCES = {"instances": [[1.0, 2.0, 3.0]]}
_WORKERS = "minWorkers: 1\nmaxWorkers: 1\n"
_CONTINUOUS = "continuousBatching: true\nbatchSize: 4\n"
EXAMPLE_CASES = (
    Case(
        "text classifier that reads rows", "example", _classifier,
        Ask(b"a good day", "text/plain"), {"data": "a good day"},
    ),
    Case(
        "picture classifier that reads rows", "example", _digits,
        Ask(_picture(), "image/png"), _base64(_picture()),
    ),
    Case(
        "rows or instances", "example",
        lambda folder: written(folder, ROWS_OR_INSTANCES), Ask.json([1, 2]), [1, 2],
    ),
    Case(
        "base_handler, TorchScript", "example", _base_handler,
        Ask.json(_INSTANCES), [1.0, 2.0, 3.0], envelope="json",
    ),
    Case(
        "base_handler, eager", "example", _eager,
        Ask.json({"instances": [[1.0, 2.0]]}), [1.0, 2.0], envelope="json",
    ),
    Case(
        "image_classifier without torchvision", "example", _image_classifier,
        Ask(_picture(), "image/png"), _base64(_picture()),
    ),
    Case(
        "settings in model-config.yaml", "example",
        lambda folder: written(folder, SLOW, config=f"{_WORKERS}handler: {{delay_seconds: 0.1}}\n"),
        Ask.json(1), 1,
    ),
    Case(
        "a picture as the answer", "example",
        lambda folder: written(folder, PNG_ANSWER), Ask.json(1), 1,
        difference="a picture is answered as base64, in JSON",
    ),
    Case(
        "async def handle", "example",
        lambda folder: written(folder, ASYNC, config=f"{_WORKERS}asyncCommunication: true\n"),
        Ask.json("a"), {"body": "a"},
    ),
    Case(
        "continuous batching", "example",
        lambda folder: written(folder, STEPS, config=f"{_WORKERS}{_CONTINUOUS}"),
        Ask.json("a"), "a",
        difference="the parts of an answer are the elements of a list",
    ),
    Case(
        "a streamed answer", "example",
        lambda folder: written(folder, STREAM, config=_WORKERS), Ask.json(1), 1,
        difference="the parts come as they are, and the last one as `predictions`",
    ),
)  # fmt: skip
