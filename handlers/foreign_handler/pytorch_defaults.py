"""What SageMaker's PyTorch containers do where `inference.py` leaves a function out.

As in sagemaker-pytorch-inference-toolkit (default_pytorch_inference_handler.py) and
sagemaker-inference-toolkit (decoder.py, encoder.py), but for pickles in NPY files, which are refused.
"""

import json
from http import HTTPStatus
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from foreign_handler.calls import RefusedError
from foreign_handler.media_types import CSV, JSON, NPY, bare
from foreign_handler.values import as_json

_MODEL_FILE = "model.pt"
_SUFFIXES = (".pt", ".pth")


def model_fn(model_dir: str) -> Any:
    """Load `model.pt`, or the one .pt or .pth, as TorchScript.

    Raises:
        ValueError: There is no such file, or there are several, or it is no TorchScript.
    """
    import torch

    folder = Path(model_dir)
    found = sorted(path.name for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    if _MODEL_FILE in found:
        found = [_MODEL_FILE]
    if len(found) != 1:
        raise ValueError(
            "without a model_fn exactly one .pt or .pth is loaded; the archive has: "
            f"{', '.join(found) or 'none'}"
        )
    try:
        return torch.jit.load(folder / found[0], map_location=_device())  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise ValueError(
            f"{found[0]} is no TorchScript, which is what is loaded without a model_fn: define model_fn"
        ) from error


def input_fn(body: Any, content_type: str) -> Any:
    """A tensor of what a body of JSON, CSV or NPY holds.

    Raises:
        RefusedError: It is of another type, or holds something else than numbers.
    """
    import torch

    array = decoded(body, content_type)
    try:
        if bare(content_type) == NPY:
            return torch.from_numpy(array).to(_device())
        return torch.tensor(array, dtype=torch.float32, device=_device())
    except TypeError as error:
        raise RefusedError("the body must hold numbers, in lists of one length") from error


def predict_fn(data: Any, model: Any) -> Any:
    """Call the model with the tensor."""
    import torch

    with torch.no_grad():
        model.to(_device())
        model.eval()
        return model(data.to(_device()))


def output_fn(prediction: Any, accept: str) -> Any:
    """The prediction as JSON, CSV or NPY, the first of them that the client accepts."""
    import numpy
    import torch

    if isinstance(prediction, torch.Tensor):
        prediction = prediction.detach().cpu().numpy().tolist()
    for media_type in map(bare, accept.split(",")):
        if media_type == JSON:
            return as_json(prediction)
        if media_type == CSV:
            text = StringIO()
            numpy.savetxt(text, prediction, delimiter=",", fmt="%s")
            return text.getvalue().encode()
        if media_type == NPY:
            content = BytesIO()
            numpy.save(content, prediction)
            return content.getvalue()
    raise RefusedError(f"accept {accept!r} is not one of {JSON}, {CSV}, {NPY}", HTTPStatus.NOT_ACCEPTABLE)


def decoded(body: Any, content_type: str) -> Any:
    """A body as an array of numpy.

    Raises:
        RefusedError: It is of another type.
        ValueError: It is not what its type says.
    """
    import numpy

    media_type = bare(content_type)
    if media_type == JSON:
        return numpy.array(json.loads(body))
    if media_type == CSV:
        return numpy.genfromtxt(StringIO(body), delimiter=",")
    if media_type == NPY:
        try:
            return numpy.load(BytesIO(body), allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise RefusedError("the NPY file can't be read, or holds a pickle, which is refused") from error
    raise RefusedError(
        f"content type {content_type!r} is not one of {JSON}, {CSV}, {NPY}, which are read without an "
        "input_fn",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    )


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
