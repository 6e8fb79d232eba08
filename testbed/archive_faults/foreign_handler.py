"""Faults of handlers that were written for another server."""

from testbed.archive_faults.making import MODULE, SCRIPT, Fault, adapted_archive, archive_of

_RULE = "foreign-handler-functions"
_MODEL = "def model_fn(model_dir):\n    return None\n"
_PREDICT = "def predict_fn(data, model):\n    return data\n"
_PIPELINE = 'class PreTrainedPipeline:\n    def __init__(self, path=""):\n'
_CALL = "    def __call__(self, data):\n        return data\n"


def _class(*methods: str) -> dict[str, str]:
    return {"handler.py": "class EndpointHandler:\n" + "".join(methods)}


FOREIGN_HANDLER_FAULTS = [
    Fault(
        _RULE,
        "error",
        "handler.py",
        "handler.py defines no class EndpointHandler or PreTrainedPipeline; it defines class Handler, load",
        adapted_archive("endpoint", {"handler.py": "class Handler: ...\n\n\ndef load(): ...\n"}),
    ),
    Fault(
        _RULE,
        "error",
        "handler.py:1",
        "has no `__call__`",
        adapted_archive("endpoint", _class("    def __init__(self, path):\n        pass\n")),
    ),
    Fault(
        _RULE,
        "error",
        "handler.py:1",
        "can't be made with the path of the model's folder alone",
        adapted_archive("endpoint", _class("    def __init__(self, path, task):\n        pass\n", _CALL)),
    ),
    Fault(_RULE, "error", "handler.py:1", "can't be made with", adapted_archive("endpoint", _class(_CALL))),
    Fault(
        _RULE,
        "error",
        "pipeline.py:1",
        "PreTrainedPipeline in pipeline.py has no `__call__`",
        adapted_archive("endpoint", {"pipeline.py": f"{_PIPELINE}        pass\n"}, "pipeline.py"),
    ),
    Fault(
        _RULE,
        "warning",
        "pipeline.py:1",
        "its own server decodes sounds for it, and the adapter refuses them",
        adapted_archive(
            "endpoint",
            {"pipeline.py": f"{_PIPELINE}        self.sampling_rate = 16000\n{_CALL}"},
            "pipeline.py",
        ),
    ),
    Fault(
        _RULE,
        "error",
        "model-config.yaml",
        "names no file of the archive",
        adapted_archive("endpoint", {}, "handlers.py"),
    ),
    Fault(
        _RULE,
        "error",
        "code/inference.py",
        "defines none of model_fn, input_fn, predict_fn, output_fn, transform_fn; it defines class Net",
        adapted_archive("sagemaker", {"code/inference.py": "class Net: ...\n"}, "code/inference.py"),
    ),
    Fault(
        _RULE,
        "error",
        "handler.py",
        "defines transform_fn and predict_fn: it is the one or the others",
        adapted_archive(
            "sagemaker",
            {"handler.py": f"{_MODEL}{_PREDICT}def transform_fn(model, body, kind, accept):\n    pass\n"},
        ),
    ),
    Fault(
        _RULE,
        "error",
        "handler.py",
        "defines no model_fn, and what is loaded then is not one file: a.pt, b.pt",
        adapted_archive("sagemaker", {"handler.py": _PREDICT, "a.pt": SCRIPT, "b.pt": SCRIPT}),
    ),
    Fault(
        _RULE,
        "error",
        "handler.py",
        "is loaded then is not one file: no .pt or .pth at the root",
        adapted_archive("sagemaker", {"handler.py": _PREDICT}),
    ),
    Fault(
        "handler-imports",
        "error",
        "code/inference.py:1",
        "imports beside, which is not in the archive",
        adapted_archive("sagemaker", {"code/inference.py": f"import beside\n{_MODEL}"}, "code/inference.py"),
    ),
    Fault(
        "handler-imports",
        "error",
        "code/inference.py:1",
        "imports net.layers, and the archive's code/net/ holds no layers.py",
        adapted_archive(
            "sagemaker",
            {"code/inference.py": f"import net.layers\n{_MODEL}", "code/net/__init__.py": ""},
            "code/inference.py",
        ),
    ),
    Fault(
        "handler-relative-import",
        "error",
        "code/inference.py:1",
        "`from .net import ...`: the handler is no part of a package",
        adapted_archive(
            "sagemaker",
            {"code/inference.py": f"from .net import Net\n{_MODEL}", "code/net.py": "class Net: ...\n"},
            "code/inference.py",
        ),
    ),
    Fault(
        "handler-syntax",
        "error",
        "handler.py:1",
        "handler handler.py, line 1",
        adapted_archive("endpoint", {"handler.py": "class EndpointHandler\n"}),
    ),
    Fault(
        "module-hides-another",
        "error",
        "code/json.py",
        "would hide Python's own module 'json'",
        adapted_archive("sagemaker", {"code/inference.py": _MODEL, "code/json.py": ""}, "code/inference.py"),
    ),
    Fault(
        "module-hides-another",
        "error",
        "code/__init__.py",
        "would hide Python's own module 'code'",
        adapted_archive(
            "sagemaker", {"code/inference.py": _MODEL, "code/__init__.py": ""}, "code/inference.py"
        ),
    ),
    Fault(
        "pickle-holds-tensors-only",
        "warning",
        "model.pt",
        "loads more than tensors",
        adapted_archive("sagemaker", {"handler.py": _MODEL, "model.pt": MODULE}),
    ),
    Fault(
        "handler-entry-point",
        "error",
        "handler.py",
        "defines 0 classes (none) and no `handle`",
        archive_of(_MODEL),
    ),
]
