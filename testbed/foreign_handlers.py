"""Handlers of other servers, as their documentations show them, a request to each, and its answer."""

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

# A picture of two red pixels, and the array [[1.0, 2.0]] of float32, as files.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP8z8DAwMAAAAYIAQHLR3Z1AAAAAElFTkSuQmCC"
)
NPY_BASE64 = (
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAg"
    "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AAAAQA=="
)
JSON_TYPE = "application/json"


class Case(NamedTuple):
    """A handler, a request and the answer.

    Attributes:
        shows: What is special about it.
        handler: As `--handler` names it; the file is `files`' of that name.
        files: The model's folder, by name; bytes, text, or `SCRIPT` for a TorchScript program.
        request: The body: a value for JSON, or bytes.
        status: Of the answer.
        answer: Its body, read as JSON.
        content_type: Of the request's body.
    """

    shows: str
    handler: str
    files: Mapping[str, str | bytes]
    request: Any
    status: int
    answer: Any
    content_type: str = JSON_TYPE

    def body(self) -> bytes:
        """The request's body."""
        return self.request if isinstance(self.request, bytes) else json.dumps(self.request).encode()


# Stands for the bytes of a TorchScript program, which takes torch to make: it doubles a tensor.
SCRIPT = b"<TorchScript>"


def torchscript() -> bytes:
    """A TorchScript program that doubles a tensor."""
    import io
    import warnings

    import torch

    class Doubling(torch.nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return values * 2

    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, and is what these handlers load
        torch.jit.save(torch.jit.script(Doubling()), content)
    return content.getvalue()


LABELS_HANDLER = """\
import json
from pathlib import Path
from typing import Any


class EndpointHandler:
    def __init__(self, path: str = ""):
        self.labels = json.loads((Path(path) / "labels.json").read_text())

    def __call__(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        inputs = data.pop("inputs", data)
        parameters = data.pop("parameters", None) or {}
        if not isinstance(inputs, str):
            raise ValueError("inputs must be a text")
        scores = [{"label": label, "score": inputs.count(label)} for label in self.labels]
        return sorted(scores, key=lambda one: -one["score"])[: parameters.get("top_k", 1)]
"""
_LABELS = {"handler.py": LABELS_HANDLER, "labels.json": '["a", "b"]'}


_PIPELINE: dict[str, str | bytes] = {
    "pipeline.py": "class PreTrainedPipeline:\n    def __init__(self, path=''):\n        self.path = path\n\n"
    "    def __call__(self, inputs, top_k=1):\n        return inputs.split()[:top_k]\n",
    "weights.bin": b"w",
}


def _endpoint(call: str, top: str = "", define: str = "def") -> dict[str, str | bytes]:
    source = f"{top}\nclass EndpointHandler:\n    def __init__(self, path=''):\n        self.path = path\n\n"
    return {
        "handler.py": f"{source}    {define} __call__(self, data):\n        {call}\n",
        "weights.bin": b"w",
    }


ENDPOINT_CASES = (
    Case(
        "`inputs` and `parameters`",
        "endpoint:handler.py",
        _LABELS,
        {"instances": ["abba b"], "parameters": {"top_k": 2}},
        200,
        {"predictions": [[{"label": "b", "score": 3}, {"label": "a", "score": 2}]]},
    ),
    Case(
        "an instance that has `inputs` itself, and parameters of its own",
        "endpoint:handler.py",
        _LABELS,
        {"instances": [{"inputs": "aab", "parameters": {"top_k": 1}}], "parameters": {"top_k": 2}},
        200,
        {"predictions": [[{"label": "a", "score": 2}]]},
    ),
    Case(
        "fields within `inputs`",
        "endpoint:handler.py",
        _endpoint("return {'answer': data['inputs']['context'].split()[-1]}"),
        {"instances": [{"inputs": {"question": "which?", "context": "the last"}}]},
        200,
        {"predictions": [{"answer": "last"}]},
    ),
    Case(
        "bytes",
        "endpoint:handler.py",
        _endpoint("return {'bytes': len(data['inputs'])}"),
        {"instances": [{"b64": "AAEC"}]},
        200,
        {"predictions": [{"bytes": 3}]},
    ),
    Case(
        "a picture as the whole body: the handler gets it opened",
        "endpoint:handler.py",
        _endpoint("return [data['inputs'].mode, data['inputs'].size]"),
        PNG,
        200,
        {"predictions": [["RGB", [2, 1]]]},
        "image/png",
    ),
    Case(
        "an array and a tensor in the answer",
        "endpoint:handler.py",
        _endpoint("return {'a': np.ones(2), 't': torch.ones(1, 2)}", "import numpy as np\nimport torch\n"),
        {"instances": ["x"]},
        200,
        {"predictions": [{"a": [1.0, 1.0], "t": [[1.0, 1.0]]}]},
    ),
    Case(
        "a picture in the answer: PNG in base64",
        "endpoint:handler.py",
        _endpoint("return Image.new('RGB', (2, 1), (255, 0, 0))", "from PIL import Image\n"),
        {"instances": ["x"]},
        200,
        {"predictions": [base64.b64encode(PNG).decode()]},
    ),
    Case(
        "`raise ValueError`",
        "endpoint:handler.py",
        _LABELS,
        {"instances": ["a", 5]},
        400,
        {"error": "instance 1: inputs must be a text"},
    ),
    Case(
        "another exception",
        "endpoint:handler.py",
        _endpoint("return data['inputs']['question']"),
        {"instances": [{"inputs": {}}]},
        500,
        {"error": "instance 0: the prediction failed"},
    ),
    Case(
        "`async def __call__`",
        "endpoint:handler.py",
        _endpoint("return await asyncio.sleep(0, data['inputs'])", "import asyncio\n", "async def"),
        {"instances": ["a", "b"]},
        200,
        {"predictions": ["a", "b"]},
    ),
    Case(
        "the older class `PreTrainedPipeline`: `inputs`, and `parameters` by their names",
        "endpoint:pipeline.py",
        _PIPELINE,
        {"instances": ["a b c"], "parameters": {"top_k": 2}},
        200,
        {"predictions": [["a", "b"]]},
    ),
    Case(
        "the same, bytes that are no picture",
        "endpoint:pipeline.py",
        _PIPELINE,
        {"instances": [{"b64": "AAEC"}]},
        415,
        {
            "error": "instance 0: a PreTrainedPipeline takes a sound as samples, and this server decodes "
            "none; an EndpointHandler gets its bytes"
        },
    ),
)

FOUR_FUNCTIONS = """\
import json
import os


def model_fn(model_dir):
    with open(os.path.join(model_dir, "factor.json")) as file:
        return json.load(file)


def input_fn(request_body, request_content_type):
    if request_content_type != "application/json":
        raise ValueError("unsupported content type: " + request_content_type)
    return json.loads(request_body)["numbers"]


def predict_fn(input_data, model):
    return [number * model for number in input_data]


def output_fn(prediction, response_content_type):
    return json.dumps({"doubled": prediction})
"""
_FOUR = {"code/inference.py": FOUR_FUNCTIONS, "factor.json": "2"}
_CODE, _ROOT = "sagemaker:code/inference.py", "sagemaker:inference.py"
_SCRIPTED = {"model.pth": SCRIPT}

SAGEMAKER_CASES = (
    Case(
        "all four functions, in `code/`",
        _CODE,
        _FOUR,
        {"instances": [{"numbers": [1, 2]}, {"numbers": [3]}]},
        200,
        {"predictions": [{"doubled": [2, 4]}, {"doubled": [6]}]},
    ),
    Case(
        "`model_fn` alone: a tensor of JSON, and its answer as JSON",
        _ROOT,
        {
            "inference.py": "import torch\n\n\ndef model_fn(model_dir):\n    return torch.nn.Flatten(0)\n",
            "weights.bin": b"w",
        },
        {"instances": [[[1, 2], [3, 4]]]},
        200,
        {"predictions": [[1.0, 2.0, 3.0, 4.0]]},
    ),
    Case(
        "`predict_fn` alone: the TorchScript program is loaded",
        _ROOT,
        {"inference.py": "def predict_fn(data, model):\n    return model(data).sum(dim=1)\n", **_SCRIPTED},
        {"instances": [[[1, 2], [3, 4]]]},
        200,
        {"predictions": [[6.0, 14.0]]},
    ),
    Case(
        "CSV in, and an `output_fn` with a content type of its own",
        _ROOT,
        {
            "inference.py": "def output_fn(prediction, accept):\n"
            "    return '|'.join(map(str, prediction.tolist())), 'text/plain'\n",
            **_SCRIPTED,
        },
        {"instances": ["1,2,3"], "parameters": {"content_type": "text/csv"}},
        200,
        {"predictions": ["2.0|4.0|6.0"]},
    ),
    Case(
        "NPY in, as base64, and CSV out",
        _ROOT,
        {"inference.py": "def predict_fn(data, model):\n    return model(data)\n", **_SCRIPTED},
        {
            "instances": [{"b64": NPY_BASE64}],
            "parameters": {"content_type": "application/x-npy", "accept": "text/csv"},
        },
        200,
        {"predictions": ["2.0,4.0\n"]},
    ),
    Case(
        "bytes out",
        _ROOT,
        {
            "inference.py": "def model_fn(model_dir):\n    return None\n\n\n"
            "def transform_fn(model, body, content_type, accept):\n"
            "    return body[::-1], 'application/octet-stream'\n",
            "weights.bin": b"w",
        },
        {"instances": [{"b64": "AAEC"}]},
        200,
        {"predictions": [{"b64": "AgEA"}]},
    ),
    Case(
        "`transform_fn` with the context",
        _ROOT,
        {
            "inference.py": "import json\n\n\n"
            "def model_fn(model_dir, context):\n    return context.model_name\n\n\n"
            "def transform_fn(model, body, content_type, accept, context):\n"
            "    return json.dumps([model, json.loads(body), accept]), accept\n",
            "weights.bin": b"w",
        },
        {"instances": ["x"]},
        200,
        {"predictions": [["model", "x", "application/json"]]},
    ),
    Case(
        "a model of Hugging Face (`config.json`): a pipeline is called with `inputs` and `parameters`",
        _ROOT,
        {
            "inference.py": "def model_fn(model_dir):\n"
            "    return lambda inputs, **parameters: [{'label': inputs, **parameters}]\n",
            "config.json": "{}",
            "weights.bin": b"w",
        },
        {"instances": ["x", {"inputs": "y"}], "parameters": {"top_k": 2}},
        200,
        {"predictions": [[{"label": "x", "top_k": 2}], [{"label": "y", "top_k": 2}]]},
    ),
    Case(
        "the same, a picture as the whole body",
        _ROOT,
        {
            "inference.py": "def model_fn(model_dir):\n    return lambda image: [image.mode, image.size]\n",
            "config.json": "{}",
            "weights.bin": b"w",
        },
        PNG,
        200,
        {"predictions": [["RGB", [2, 1]]]},
        "image/png",
    ),
    Case(
        "`raise ValueError`",
        _CODE,
        _FOUR,
        {"instances": ["1"], "parameters": {"content_type": "text/csv"}},
        400,
        {"error": "instance 0: unsupported content type: text/csv"},
    ),
    Case(
        "an exception with a status of its own",
        _ROOT,
        {
            "inference.py": "class TooMany(Exception):\n    status_code = 413\n\n\n"
            "def model_fn(model_dir):\n    return None\n\n\n"
            "def predict_fn(data, model):\n    raise TooMany('at most 10 rows')\n",
            "weights.bin": b"w",
        },
        {"instances": [[1]]},
        413,
        {"error": "instance 0: at most 10 rows"},
    ),
    Case(
        "another exception",
        _CODE,
        _FOUR,
        {"instances": [{"numbers": [1]}, {"number": 1}]},
        500,
        {"error": "instance 1: the prediction failed"},
    ),
)
CASES = (*ENDPOINT_CASES, *SAGEMAKER_CASES)
