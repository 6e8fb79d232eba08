"""The author's functions, with what SageMaker's toolkits do in place of those that are missing."""

import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from foreign_handler import pytorch_defaults, transformers_defaults
from foreign_handler.calls import Answer
from foreign_handler.loading import load_module, model_folder, settings
from foreign_handler.sagemaker_request import SageMakerRequest

MODEL_FN = "model_fn"
STEPS = ("input_fn", "predict_fn", "output_fn")
TRANSFORM_FN = "transform_fn"
# In model-config.yaml, below `handler`: whose defaults.
TOOLKIT = "toolkit"
TOOLKITS = {"pytorch": pytorch_defaults, "huggingface": transformers_defaults}
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Functions:
    """An `inference.py`, and the model that its `model_fn` has loaded.

    Args:
        context: TorchServe's `ts.context.Context`.

    Raises:
        ValueError: The file defines none of the functions, or ones that exclude each other.
        Exception: What `model_fn` raises.
    """

    def __init__(self, context: Any) -> None:
        module = load_module(context)
        defaults = _defaults(context)
        self._context = context
        self._transform = getattr(module, TRANSFORM_FN, None)
        _require_functions(module)
        self._input, self._predict, self._output = (
            getattr(module, name, None) or getattr(defaults, name) for name in STEPS
        )
        folder = str(model_folder(context))
        if prepare := getattr(module, "pre_model_fn", None):
            self._call(prepare, folder)
        self._model = self._call(getattr(module, MODEL_FN, None) or defaults.model_fn, folder)
        if warm_up := getattr(module, "model_warmup_fn", None):
            self._call(warm_up, folder, self._model)

    def transform(self, request: SageMakerRequest) -> Answer:
        """Answer a request.

        Returns:
            What `output_fn` or `transform_fn` returned; the content type is what it returned beside it, else
            what the client accepts.
        """
        body, content_type, accept = request.body, request.content_type, request.accept
        if self._transform:
            result = self._call(self._transform, self._model, body, content_type, accept)
        else:
            data = self._call(self._input, body, content_type)
            prediction = self._call(self._predict, data, self._model)
            result = self._call(self._output, prediction, accept)
        if isinstance(result, tuple) and len(result) == 2:
            return Answer(result[0], str(result[1]))
        return Answer(result, accept)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, with the context behind the arguments where it takes one more."""
        parameters = list(inspect.signature(function).parameters.values())
        extra = parameters[len(arguments)] if len(parameters) > len(arguments) else None
        takes_context = extra is not None and (
            extra.name == "context" or (extra.default is extra.empty and extra.kind in _POSITIONAL)
        )
        return function(*arguments, self._context) if takes_context else function(*arguments)


def _defaults(context: Any) -> ModuleType:
    """Whose defaults: as set, else Hugging Face's for a model of theirs, else PyTorch's."""
    named = settings(context).get(TOOLKIT)
    if named is None:
        is_theirs = (
            transformers_defaults.TASK in os.environ or (model_folder(context) / "config.json").is_file()
        )
        named = "huggingface" if is_theirs else "pytorch"
    if named not in TOOLKITS:
        raise ValueError(f"handler.{TOOLKIT} is {named!r}; {' and '.join(TOOLKITS)} are accepted")
    return TOOLKITS[named]


def _require_functions(module: ModuleType) -> None:
    found = [name for name in (MODEL_FN, *STEPS, TRANSFORM_FN) if hasattr(module, name)]
    if not found:
        raise ValueError(f"{module.__file__} defines none of {', '.join((MODEL_FN, *STEPS, TRANSFORM_FN))}")
    if TRANSFORM_FN in found and set(found) & set(STEPS):
        both = ", ".join(name for name in found if name in STEPS)
        raise ValueError(f"{module.__file__} defines {TRANSFORM_FN} and {both}: it is the one or the others")
