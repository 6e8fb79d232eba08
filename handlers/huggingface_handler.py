"""TorchServe handler for Hugging Face models: every common task, in one file.

It travels inside the model archive and imports nothing but torch, transformers and the standard library.
What it takes, returns and can be set to is in the README beside it.

How it reads, from top to bottom:

1. Refusals, schemas, settings, and what the archive holds.
2. `Task`: what a task declares. An instance becomes a `Query`, a query becomes `Item`s of work, a pack of
   items is run at once, and their rows become the prediction.
3. The tasks, a section each.
4. `Service`: requests in, answers out; and `handle`, which TorchServe calls.
"""

# ruff: noqa: ARG002 - the tasks share the signatures of their methods
import base64
import contextlib
import copy
import functools
import json
import logging
import os
import pickle
import tempfile
import time
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

# The archive holds all that is needed, and a log is no place for progress bars. huggingface_hub reads both
# once, when it is first imported. Tokenizing is quick beside a forward pass, and its threads, one a core in
# every worker, would take the cores from torch's.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy
import torch

try:
    import transformers
except ImportError as error:
    # TorchServe takes an ImportError for "no such handler file" and then blames a built-in handler.
    raise RuntimeError(
        f"transformers can't be imported ({error}); fix: install transformers>=5,<6 in the image "
        "or name it in the archive's requirements file"
    ) from error

logger = logging.getLogger(__name__)

Schema = Mapping[str, Any]
Fields = dict[str, Any]
Parameters = dict[str, Any]


# ---- Refusals and schemas ---------------------------------------------------------------------------


class Refused(ValueError):  # noqa: N818 - it says what happened to the instance
    """An instance, or a request, that is the client's mistake. The message never holds its text.

    Args:
        message: What was wrong, what is accepted.
        status: 400 for the wrong shape, 413 and 415 for media, 422 for what can't be processed.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT, "minItems": 1}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 1}
ALL_OR_COUNT: Schema = {"anyOf": [COUNT, {"type": "null"}]}
SCORE: Schema = {"type": "number"}
# A file, sent as {"b64": "..."}; `open_media` makes bytes of every spelling of it.
MEDIA: Schema = {
    "type": "object",
    "properties": {"b64": {"type": "string", "contentEncoding": "base64"}},
    "required": ["b64"],
}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        **({"required": list(required)} if required else {}),
        "additionalProperties": False,
    }


def list_of(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def kind_of(value: object) -> str:
    """Return the type of a value, for messages."""
    return "null" if value is None else type(value).__name__


BOUNDS = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "of at most",
    "minLength": "of length at least",
    "minItems": "of length at least",
}


def wording(schema: Schema) -> str:
    """Say in words what a schema accepts."""
    if "anyOf" in schema:
        return ", or ".join(wording(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    words = {
        "string": "a string",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list",
        "object": "an object",
        "null": "null",
    }[schema["type"]]
    bounds = [f"{text} {schema[bound]}" for bound, text in BOUNDS.items() if bound in schema]
    return f"{words} {bounds[0]}" + "".join(f" and {bound}" for bound in bounds[1:]) if bounds else words


def check(value: Any, schema: Schema, name: str) -> Any:
    """Return `value` as `schema` wants it: bytes as text, whole floats as integers.

    Knows the part of JSON Schema that this file uses.

    Args:
        value: Of JSON types; text may also come as UTF-8 bytes, as forms and envelopes hand it over.
        schema: A JSON Schema.
        name: What to call the value in a message.

    Raises:
        Refused: It is something else; the message says what is accepted and holds no text but short names.
    """
    if "anyOf" in schema:
        return _check_any(value, schema, name)
    checker = _CHECKS.get(schema.get("type", ""))
    return checker(value, schema, name) if checker else value


def _misfit(value: object, schema: Schema, name: str, shown: str | None = None) -> Refused:
    return Refused(f"{name} must be {wording(schema)}, got {shown or kind_of(value)}")


def _check_any(value: Any, schema: Schema, name: str) -> Any:
    for choice in schema["anyOf"]:
        try:
            return check(value, choice, name)
        except Refused:
            continue
    number = isinstance(value, int | float) and not isinstance(value, bool)
    raise _misfit(value, schema, name, str(value)[:40] if number else None)


def _check_flag(value: Any, schema: Schema, name: str) -> bool:
    if not isinstance(value, bool):
        raise _misfit(value, schema, name)
    return value


def _check_null(value: Any, schema: Schema, name: str) -> None:
    if value is not None:
        raise _misfit(value, schema, name)


def _check_list(value: Any, schema: Schema, name: str) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) < schema.get("minItems", 0):
        raise _misfit(value, schema, name)
    if len(value) > schema.get("maxItems", len(value)):
        raise Refused(f"{name} must have at most {schema['maxItems']} entries, got {len(value)}")
    items = schema.get("items", {})
    return [check(entry, items, f"{name}[{index}]") for index, entry in enumerate(value)]


def _check_text(value: Any, schema: Schema, name: str) -> str:
    if "enum" in schema and value not in schema["enum"]:
        raise _misfit(value, schema, name, repr(value)[:40])
    if not isinstance(value, str | bytes | bytearray):
        raise _misfit(value, schema, name)
    try:
        text = value if isinstance(value, str) else value.decode("utf-8")
        if not text.isascii():
            text.encode("utf-8")  # JSON can carry lone surrogates, which tokenizers refuse
    except UnicodeError:
        raise Refused(f"{name} is not valid Unicode (UTF-8)") from None
    if len(text) < schema.get("minLength", 0):
        raise Refused(f"{name} must not be empty")
    return text


def _check_number(value: Any, schema: Schema, name: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(value, schema, name)
    whole = schema["type"] == "integer"
    fits = (
        abs(value) <= (2**63 - 1 if whole else 1e308)  # what torch can hold; false for NaN too
        and value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", float("-inf"))
        and not (whole and value != int(value))
    )
    if not fits:
        raise _misfit(value, schema, name, str(value)[:40])
    return int(value) if whole else float(value)  # an integer is no number to some libraries


def _check_object(value: Any, schema: Schema, name: str) -> Fields:
    if not isinstance(value, dict):
        raise _misfit(value, schema, name)
    properties = schema.get("properties", {})
    missing = [key for key in schema.get("required", ()) if key not in value]
    if missing:
        raise Refused(f"{name} lacks {', '.join(missing)}")
    unknown = sorted(str(key)[:40] for key in value if key not in properties)
    rest = schema.get("additionalProperties", True)
    if unknown and rest is False:
        raise Refused(f"unknown {name}: {', '.join(unknown)}; accepted: {', '.join(properties) or 'none'}")
    return {
        key: check(entry, properties.get(key) or (rest if isinstance(rest, Mapping) else {}), f"{name}.{key}")
        for key, entry in value.items()
    }


_CHECKS: dict[str, Callable[[Any, Schema, str], Any]] = {
    "string": _check_text,
    "integer": _check_number,
    "number": _check_number,
    "boolean": _check_flag,
    "null": _check_null,
    "array": _check_list,
    "object": _check_object,
}


# ---- Settings: the mapping `handler` in model-config.yaml ----------------------------------------------


SETTINGS: dict[str, Schema] = {
    "task": {"type": "string", "description": "one of the tasks", "default": "what the model's files tell"},
    "dtype": {
        "enum": ["auto", "float32", "bfloat16", "float16"], "type": "string", "default": "auto",
        "description": "of the weights; auto: bfloat16 or float16 on a GPU, float32 on the CPU",
    },
    "attn_implementation": {
        "type": "string", "default": "sdpa",
        "description": "of transformers; a model that has no sdpa gets eager",
    },
    "torch_compile": {
        "type": "boolean", "default": False,
        "description": "compile the model; takes a compiler and a minute at load",
    },
    "quantize": {
        "enum": ["none", "int8"], "type": "string", "default": "none",
        "description": "int8: dynamic quantization of the linear layers, on the CPU only",
    },
    "linear_layers": {
        "enum": ["auto", "torch"], "type": "string", "default": "auto",
        "description": "auto: by oneDNN where that is measured to be faster (float32 on the CPU)",
    },
    "device_map": {
        "anyOf": [TEXT, {"type": "object"}], "default": None,
        "description": "spread a model over GPUs as transformers' device_map; takes accelerate",
    },
    "max_batch_tokens": {
        **COUNT, "default": "measured at load",
        "description": "padded tokens that run as one batch",
    },
    "max_length": {**COUNT, "default": "what the model takes", "description": "tokens of one text"},
    "truncation": {
        "enum": ["truncate", "error"], "type": "string", "default": "truncate",
        "description": "a text that is too long: cut it and say so in `x-truncated`, or answer 422",
    },
    "parameters": {
        "type": "object", "default": {},
        "description": "defaults for the task's parameters; those of a call, then of an instance, win",
    },
    "trust_remote_code": {
        "type": "boolean", "default": False,
        "description": "run Python code that the archive brings with the model",
    },
    "allowed_media_hosts": {
        **list_of(TEXT), "default": [],
        "description": "hosts from which images and sounds may be fetched by https URL",
    },
    "max_image_pixels": {
        **COUNT, "default": 50_000_000,
        "description": "an image with more is refused",
    },
    "max_audio_seconds": {
        **COUNT, "default": 3600,
        "description": "a sound that is longer is refused",
    },
}  # fmt: skip


def read_settings(config: object) -> Parameters:
    """Return the settings with the defaults of those that aren't set; "measured" ones are None.

    Raises:
        ValueError: A key or a value is unknown.
    """
    settings = {} if config is None else config
    if not isinstance(settings, dict):
        raise ValueError(
            f"handler must be a mapping in model-config.yaml, got {type(settings).__name__}; "
            "fix: write it as `handler: {task: ...}`"
        )
    unknown = sorted(map(str, set(settings) - set(SETTINGS)))
    if unknown:
        raise ValueError(
            f"unknown keys under handler: {', '.join(unknown)}; accepted: {', '.join(SETTINGS)}; "
            "fix: correct or remove them in model-config.yaml"
        )
    measured = dict.fromkeys(("task", "max_batch_tokens", "max_length"))
    values = {name: schema["default"] for name, schema in SETTINGS.items()} | measured
    for name, value in settings.items():
        if value is not None:
            try:
                values[name] = check(value, SETTINGS[name], f"handler.{name}")
            except Refused as error:
                raise ValueError(f"{error}; fix: correct it in model-config.yaml") from None
    return values


# ---- What the archive holds -------------------------------------------------------------------------


def read_json(file: Path) -> Any:
    """Return the JSON value in `file`, or an empty object when there is no such file."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def need(module: str, why: str) -> Any:
    """Import an optional library.

    Raises:
        ValueError: It isn't installed; the message says what to do.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"{why} takes {module}, which can't be imported ({error}); "
            "fix: name it in the archive's requirements file"
        ) from error


@dataclass
class Archive:
    """The model folder, what the operator set, and the device to run on.

    Attributes:
        folder: Where TorchServe extracted the archive.
        weights: The serialized file that the manifest names; None when it names none, or an adapter.
        settings: One value for each of `SETTINGS`.
        device: Where tensors go.
    """

    folder: Path
    weights: Path | None
    settings: Parameters
    device: torch.device

    @classmethod
    def of(cls, context: Any) -> "Archive":
        """Read TorchServe's context."""
        properties = context.system_properties
        folder = Path(properties["model_dir"])
        gpu = properties.get("gpu_id")
        device = torch.device(f"cuda:{gpu}" if torch.cuda.is_available() and gpu is not None else "cpu")
        serialized_file = ((context.manifest or {}).get("model") or {}).get("serializedFile")
        adapter = (serialized_file or "").startswith("adapter_")
        weights = (folder / serialized_file).resolve() if serialized_file and not adapter else None
        check_base(folder, weights)
        settings = read_settings((context.model_yaml_config or {}).get("handler"))
        if settings["quantize"] == "int8" and device.type != "cpu":
            raise ValueError(
                f"handler.quantize: int8 runs on the CPU only, the worker has {device}; "
                "fix: remove it, or set deviceType: cpu in model-config.yaml"
            )
        return cls(folder, weights, settings, device)

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are loaded as."""
        if self.settings["dtype"] != "auto":
            return getattr(torch, self.settings["dtype"])  # type: ignore[no-any-return]
        if self.device.type == "cpu":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16

    def config(self, folder: Path | None = None) -> Any:
        """Load the model's config."""
        return transformers.AutoConfig.from_pretrained(folder or self.folder, **self._trust())

    def processor(self, auto_class: Any, folder: Path | None = None) -> Any:
        """Load a tokenizer, image processor, feature extractor or processor."""
        return auto_class.from_pretrained(folder or self.folder, **self._trust())

    def model(self, auto_class: Any, folder: Path | None = None, may_miss: tuple[str, ...] = ()) -> Any:
        """Load a model with all of its weights, ready to run.

        Args:
            auto_class: The `AutoModel*` class to load with.
            folder: Holds `config.json`; the archive when None.
            may_miss: Weights whose name starts so are not needed for the task.

        Raises:
            ValueError: The weights hold more than tensors, or some that the task needs are missing.
        """
        folder = folder or self.folder
        adapted = (folder / "adapter_config.json").is_file()
        with tempfile.TemporaryDirectory() as view:
            source = self._weights_folder(folder, Path(view), adapted)
            model = self._load(auto_class, source, folder, may_miss)
        if adapted:
            peft = need("peft", "an adapter in the archive")
            model = peft.PeftModel.from_pretrained(model, folder, local_files_only=True).merge_and_unload()
        if not self.settings["device_map"]:
            model = model.to(self.device)
        model.eval().requires_grad_(False)
        if self.settings["quantize"] == "int8":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch announces another way, which isn't in torch
                model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
        if self.settings["torch_compile"]:
            model.forward = torch.compile(model.forward, dynamic=True)
        elif self.settings["linear_layers"] == "auto":
            pack_linear_layers(model)
        return model

    def _trust(self) -> Parameters:
        return {"local_files_only": True, "trust_remote_code": self.settings["trust_remote_code"]}

    def _weights_folder(self, folder: Path, view: Path, adapted: bool) -> Path:
        """Return a folder where transformers finds the weights: it looks for them by name only."""
        named = (
            self.weights if self.weights and self.weights.is_file() and not any(folder.glob("*.index.json"))
            else None
        )  # fmt: skip
        if named is None and not adapted:
            return folder
        for file in folder.iterdir():
            # Shown an adapter, transformers would fetch the base model that it names.
            if not file.name.startswith("adapter_") and not (named and is_weights(file)):
                (view / file.name).symlink_to(file)
        if named:
            safe = named.suffix == ".safetensors"
            (view / ("model.safetensors" if safe else "pytorch_model.bin")).symlink_to(named)
        return view

    def _load(self, auto_class: Any, source: Path, folder: Path, may_miss: tuple[str, ...]) -> Any:
        try:
            model, report = self._from_pretrained(auto_class, source, folder)
        except pickle.UnpicklingError as error:
            raise ValueError(
                f"{self.weights or folder} is no file of weights only: nothing in it was run; accepted: "
                "safetensors, or a state dict that torch.save wrote; fix: save it with save_pretrained"
            ) from error
        missing = sorted(key for key in report["missing_keys"] if not key.startswith(may_miss or ("-",)))
        if missing:
            raise ValueError(
                f"{len(missing)} weights are missing ({', '.join(missing[:3])}, ...): they would be random; "
                f"fix: package the weights of a {type(model).__name__}, or set another handler.task"
            )
        return model

    def _from_pretrained(self, auto_class: Any, source: Path, folder: Path) -> tuple[Any, Any]:
        options = {
            "config": self.config(folder),
            "dtype": self.dtype,
            "attn_implementation": self.settings["attn_implementation"],
            "output_loading_info": True,
            "weights_only": True,
            **self._trust(),
        }
        if self.settings["device_map"]:
            need("accelerate", "handler.device_map")
            options["device_map"] = self.settings["device_map"]
        elif self.device.type == "cuda" and transformers.utils.is_accelerate_available():
            options["device_map"] = {"": self.device}  # safetensors are read straight to where they run
        try:
            return auto_class.from_pretrained(source, **options)  # type: ignore[no-any-return]
        except ValueError as error:
            if "attn_implementation" not in str(error) or options["attn_implementation"] != "sdpa":
                raise
            return auto_class.from_pretrained(source, **{**options, "attn_implementation": "eager"})  # type: ignore[no-any-return]


class PackedLinear(torch.nn.Linear):
    """A linear layer that oneDNN computes, its weight laid out as oneDNN reads it.

    torch computes float32 layers with MKL, which leaves much of an AMD CPU unused, and reads the weight in an
    order that suits no cache (benchmarks/results/linear_layers.md). Compiled models use this operator, too.
    """

    packed: torch.Tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's name)
        """Return `... x in_features` as `... x out_features`."""
        return by_onednn(input, self.packed, self.bias)


def by_onednn(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """What `torch.nn.functional.linear` returns; the weight may be packed."""
    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")  # type: ignore[no-any-return]


def pack(weight: torch.Tensor) -> torch.Tensor:
    """Return a copy in oneDNN's own layout."""
    return torch.ops.mkldnn._reorder_linear_weight(weight)  # type: ignore[no-any-return]


# Packed weights are a copy, which every worker has of its own; at most so much of a model is packed.
MOST_PACKED_BYTES = 2 * 2**30
# Less is not told from noise, and isn't worth a copy.
LEAST_GAIN = 1.1


def pack_linear_layers(model: torch.nn.Module) -> None:
    """Let oneDNN compute a model's float32 layers on the CPU, where it is measured to be faster here.

    Where it isn't, or this torch hasn't the operators, the model stays as it is.
    """
    layers = packable_layers(model)
    gain = gain_of_packing(layers[:16]) if layers else 0.0
    if gain < LEAST_GAIN:
        return
    for layer in layers:
        layer.__class__ = PackedLinear
        layer.packed = pack(layer.weight)
    logger.info("linear layers run by oneDNN: measured to be %.1f times as fast", gain)


def packable_layers(model: torch.nn.Module) -> list[torch.nn.Linear]:
    """The layers that oneDNN can compute, in the model's order, until `MOST_PACKED_BYTES` are reached."""
    layers, left = [], MOST_PACKED_BYTES
    for layer in model.modules():
        if type(layer) is not torch.nn.Linear or layer.weight.numel() == 0:
            continue  # a class of its own may compute something else; of nothing oneDNN makes no layout
        if layer.weight.dtype != torch.float32 or layer.weight.device.type != "cpu":
            continue
        left -= layer.weight.nbytes
        if left < 0:
            break
        layers.append(layer)
    return layers


def gain_of_packing(layers: Sequence[torch.nn.Linear], rows: int = 16) -> float:
    """Measure how many times as fast layers are when packed; 0 when they can't be, or give something else."""
    inputs = [torch.linspace(-1, 1, rows * layer.in_features).reshape(rows, -1) for layer in layers]
    biases = [layer.bias for layer in layers]
    weights = [layer.weight for layer in layers]
    try:
        packed = [pack(weight) for weight in weights]
        results = list(map(by_onednn, inputs, packed, biases))
    except (AttributeError, RuntimeError):
        return 0.0
    linear = torch.nn.functional.linear
    expected = map(linear, inputs, weights, biases)
    if not all(map(functools.partial(torch.allclose, rtol=1e-3, atol=1e-4), results, expected)):
        return 0.0
    return least_seconds(lambda: list(map(linear, inputs, weights, biases))) / least_seconds(
        lambda: list(map(by_onednn, inputs, packed, biases))
    )


def least_seconds(run: Callable[[], object], times: int = 5) -> float:
    """The shortest of several runs: the others were disturbed."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)


def is_weights(file: Path) -> bool:
    """Whether transformers takes a file of this name for weights."""
    return file.name in {"model.safetensors", "pytorch_model.bin"}


def check_base(folder: Path, weights: Path | None) -> None:
    """Raise a ValueError for an adapter without the model it was trained on, which peft would fetch."""
    adapter = read_json(folder / "adapter_config.json")
    whole = weights or [*folder.glob("model*.safetensors"), *folder.glob("pytorch_model*.bin")]
    if adapter and not (whole and (folder / "config.json").is_file()):
        raise ValueError(
            "adapter_config.json is without its base model: config.json and the weights must be beside it; "
            f"fix: add the files of {adapter.get('base_model_name_or_path') or 'the model it was trained on'}"
        )


# ---- A task -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Item:
    """One row of work.

    Attributes:
        inputs: What `Task.run` needs of it.
        length: Tokens (or whatever else the cost grows with); a pack costs its longest times its rows.
        group: Only items of equal group share a pack.
        source: What `Task.finish` needs beside its row.
    """

    inputs: Any
    length: int = 1
    group: Hashable = None
    source: Any = None


@dataclass(slots=True)
class Query:
    """One instance on its way to its prediction.

    Attributes:
        fields: The named inputs, checked.
        parameters: The task's, checked, with defaults.
        request: Index of its request in TorchServe's batch; None when the envelope doesn't tell.
        truncated: Whether a text was cut.
        failure: Why there will be no prediction.
        prediction: The answer, of JSON types.
    """

    fields: Fields
    parameters: Parameters
    request: int | None = None
    truncated: bool = False
    failure: Exception | None = None
    prediction: Any = None


TASKS: dict[str, type["Task"]] = {}  # by every name and alias; filled by `@task`


def task(*names: str) -> Callable[[type["Task"]], type["Task"]]:
    """Register a task under its name and aliases."""

    def register(task_class: type["Task"]) -> type["Task"]:
        task_class.name = names[0]
        TASKS.update(dict.fromkeys(names, task_class))
        return task_class

    return register


class Task:
    """What a task declares and does. Subclasses set the attributes and write `split`, `run` and `finish`.

    Attributes:
        fields: JSON Schema of each input; the first is what a bare instance means.
        required: Fields that must be there; the first alone by default.
        forms: Where fields can go together in several ways, each of them; `required` alone by default.
        media: Fields that hold files: they reach `split` as bytes.
        aliases: Other names of fields and parameters, to the name used here.
        parameters: JSON Schema of each parameter; a `default` in it fills a parameter that isn't sent.
        prediction: JSON Schema of one prediction.
        example: An instance; answered before the worker is ready.
        budget: Cost of one pack, where `max_batch_tokens` is not set and nothing measures it.
        shares_threads: Whether a pack is done soon enough to run on the cores of idle workers meanwhile.
    """

    name: ClassVar[str]
    fields: ClassVar[Mapping[str, Schema]] = {"text": TEXT}
    required: ClassVar[tuple[str, ...]] = ()
    forms: ClassVar[tuple[tuple[str, ...], ...]] = ()
    media: ClassVar[tuple[str, ...]] = ()
    aliases: ClassVar[Mapping[str, str]] = {}
    parameters: ClassVar[Mapping[str, Schema]] = {}
    prediction: ClassVar[Schema] = {}
    example: ClassVar[Any] = "warm up"
    budget: int = 512
    shares_threads: ClassVar[bool] = False

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        shared = self.shares_threads and archive.device.type == "cpu"
        self.threads = ThreadShare(os.environ.get("VTS_WORKER_TIMES") if shared else None)
        self.device = archive.device
        self.main = next(iter(self.fields))
        self.takes_text = self.fields[self.main] == TEXT and (self.main,) in self.ways()
        self.budget = archive.settings["max_batch_tokens"] or self.budget
        self.defaults: Parameters = {
            key: schema["default"] for key, schema in self.parameters.items() if "default" in schema
        }
        try:
            self.defaults = self.read_parameters(archive.settings["parameters"])
        except Refused as error:
            raise ValueError(f"handler.parameters: {error}; fix: correct it in model-config.yaml") from None

    # -- Reading --

    @classmethod
    def ways(cls) -> tuple[tuple[str, ...], ...]:
        """The sets of fields an instance may have at the least."""
        return cls.forms or (cls.required or (next(iter(cls.fields)),),)

    def read_parameters(self, parameters: Parameters) -> Parameters:
        """Check parameters and add the defaults of those not sent.

        Raises:
            Refused: One is unknown, or has another type or range.
        """
        if not parameters:
            return self.defaults
        for nest in {"generate_kwargs", "generation_parameters", "generate_parameters"} & parameters.keys():
            # How the pipelines and servers made of them take what is for `generate`.
            inner = check(parameters[nest], {"type": "object"}, nest)
            parameters = {key: value for key, value in parameters.items() if key != nest} | inner
        named = {self.aliases.get(key, key): value for key, value in parameters.items()}
        unknown = sorted(str(key)[:40] for key in named if key not in self.parameters)
        if unknown:
            accepted = ", ".join(self.parameters) or "none"
            raise Refused(f"unknown parameters: {', '.join(unknown)}; accepted: {accepted}")
        return self.defaults | {key: check(value, self.parameters[key], key) for key, value in named.items()}

    def read(self, instance: Any, parameters: Parameters) -> Query:
        """Read an instance in any of its spellings.

        Args:
            instance: The value of the main field, or an object: the fields by name, or `inputs` (their value
                or the main field's), beside them `parameters` or parameters by name.
            parameters: Those of the call; the instance's own win.

        Raises:
            Refused: It is something else.
        """
        if type(instance) is str and self.takes_text:  # the fast path
            return Query({self.main: check(instance, self.fields[self.main], self.main)},
                         self.read_parameters(parameters))  # fmt: skip
        content, own = self._take_apart(instance)
        fields: Fields = {}
        for key, value in content.items():
            name = self.aliases.get(key, key)
            if name in self.parameters and name not in self.fields:
                own = {**own, name: value}
            elif name in self.fields and name not in fields:
                if name in self.media or is_file(value):
                    value = self.open_media(value)  # noqa: PLW2901
                fields[name] = value if name in self.media else check(value, self.fields[name], name)
            else:
                raise Refused(self._shape(f"got {'twice' if name in fields else 'the unknown'} {key[:40]!r}"))
        if not any(all(name in fields for name in way) for way in self.ways()):
            raise Refused(self._shape(f"got {', '.join(fields) or 'none of them'}"))
        return Query(fields, self.read_parameters({**parameters, **own} if own else parameters))

    def _take_apart(self, instance: Any) -> tuple[Fields, Parameters]:
        """Return the fields by name, unchecked, and the instance's own parameters."""
        if is_file(instance) or not isinstance(instance, dict):
            return {self.main: instance}, {}
        content = dict(instance)
        own = content.pop("parameters", None)
        if own is None:
            own = {}
        if not isinstance(own, dict):
            raise Refused(f"parameters must be an object, got {kind_of(own)}")
        if "inputs" in content:
            inputs = content.pop("inputs")
            named = not is_file(inputs) and isinstance(inputs, dict)
            content = {**content, **(inputs if named else {self.main: inputs})}
        return content, own

    def _shape(self, problem: str) -> str:
        ways = ", or ".join(" and ".join(way) for way in self.ways())
        optional = [name for name in self.fields if not any(name in way for way in self.ways())]
        more = f" ({', '.join(optional)} optional)" if optional else ""
        return f"an object must have inputs, or {ways}{more}, and beside them only parameters; {problem}"

    def open_media(self, value: Any) -> bytes:
        """Return the bytes of a file: bytes, `{"b64": ...}`, `{"data": ...}` around either, or a text for it.

        Raises:
            Refused: It is something else, or a URL that the operator doesn't allow.
        """
        if isinstance(value, bytes | bytearray):
            return bytes(value)
        if isinstance(value, dict) and len(value) == 1:
            if "data" in value:
                return self.open_media(value["data"])
            if isinstance(value.get("b64"), str):
                return from_base64(value["b64"])
        if isinstance(value, str):
            return from_text(value, self.archive.settings["allowed_media_hosts"])
        raise Refused(f'expected a file as {{"b64": "..."}}, got {kind_of(value)}')

    def is_one(self, inputs: list[Any]) -> bool:
        """Whether a list sent as `inputs` is one instance (a conversation), not many."""
        return False

    # -- Answering --

    def answer(self, queries: Sequence[Query], context: Any = None) -> None:
        """Give every query its `prediction` or its `failure`: split, run in packs, finish.

        Args:
            queries: Of all requests of the batch.
            context: TorchServe's, for tasks that stream.
        """
        work = self.split(queries)
        with self.threads.at_work():
            rows = iter(run_packed(self, [item for items in work for item in items]))
        for query, items in zip(queries, work, strict=True):
            results = [next(rows) for _ in items]
            query.failure = query.failure or next(
                (row for row in results if isinstance(row, Exception)), None
            )
            if query.failure is None:
                try:
                    query.prediction = self.finish(query, items, results)
                except Exception as error:  # a bug or a refusal: this query's alone
                    query.failure = error

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Return the items of each query. An unusable one gets a `failure` (`Refused`) and no items."""
        raise NotImplementedError

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Run items together; returns a row for each, in order, off the device. In inference mode."""
        raise NotImplementedError

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Return the prediction made of the rows of one query's items."""
        raise NotImplementedError

    def warm_up(self) -> None:
        """Prove that the model answers, and measure what is left to measure.

        Raises:
            Exception: Whatever the model failed with.
        """
        # A compiled model is compiled for one row, and again for any other number of them.
        for rows in (1, 2) if self.archive.settings["torch_compile"] else (1,):
            queries = [self.read(self.example, {}) for _ in range(rows)]
            self.answer(queries)
            for query in queries:
                if query.failure is not None:
                    raise query.failure


def is_file(value: object) -> bool:
    """Whether a value is a file in one of its spellings: `{"b64": ...}`, `{"data": ...}` around one."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    return isinstance(value.get("b64"), str) or isinstance(value.get("data"), dict | bytes | bytearray)


def schemas(name: str) -> dict[str, Schema]:
    """Return the JSON Schemas of a task: `instance`, `parameters`, `prediction`.

    Raises:
        ValueError: There is no such task.
    """
    task_class = TASKS[canonical(name)]
    main, value = next(iter(task_class.fields.items()))
    accepted = {**task_class.parameters, **aliased(task_class, task_class.parameters)}
    parameters = record({}, accepted)
    beside = {"parameters": parameters, **accepted}
    named = [named_fields(task_class, way, beside) for way in task_class.ways()]
    bare = [value] if (main,) in task_class.ways() else []
    wrapped = record({"inputs": {"anyOf": [*bare, *named]}}, beside)
    return {
        "instance": {"anyOf": [*bare, *named, wrapped]},
        "parameters": parameters,
        "prediction": task_class.prediction,
    }


def aliased(task_class: type[Task], schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return those of `schemas` that have another name, by it."""
    return {name: schemas[meant] for name, meant in task_class.aliases.items() if meant in schemas}


def named_fields(task_class: type[Task], way: Sequence[str], beside: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that has the fields of `way`, each under any of its names."""
    fields = {**task_class.fields, **aliased(task_class, task_class.fields)}
    names = {key: [key, *(name for name, meant in task_class.aliases.items() if meant == key)] for key in way}
    schema = record({key: fields[key] for key in way if len(names[key]) == 1}, {**fields, **beside})
    choices = [{"anyOf": [{"required": [name]} for name in names[key]]} for key in way if len(names[key]) > 1]
    return {**schema, "allOf": choices} if choices else schema


# ---- Threads ----------------------------------------------------------------------------------------


class ThreadShare:
    """The cores of workers that have nothing to do, for those that have.

    A server that starts a worker a core gives each one thread, and a large request alone would use one core.
    Ours names a file to its workers, of one float64 for each: since when it has had nothing to do, in seconds
    of the machine's monotonic clock, or infinity. Elsewhere every worker keeps the threads it has.

    Args:
        file: That file; None: there is nothing to share.
    """

    # Who was at work so lately will be again: two workers on the same cores are slower than each on its own.
    QUIET_SECONDS = 0.05
    # More threads make less no faster, measured with MiniLM: the server needs a core meanwhile.
    LEAST_TOKENS = 128

    def __init__(self, file: str | None) -> None:
        self._own = torch.get_num_threads()
        self._idle_since = numpy.zeros(1)
        self._slot = 0
        if file:
            self._join(Path(file))

    def _join(self, file: Path) -> None:
        import fcntl

        times = numpy.memmap(file, dtype=numpy.float64, mode="r+")
        lock = os.open(file, os.O_RDWR)  # never closed: a byte that is locked says that the slot is taken
        for slot in range(len(times)):
            with contextlib.suppress(OSError):
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
                self._slot, self._idle_since = slot, times
                return

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Tell the others, for as long as it takes; gives the threads back that were taken meanwhile."""
        self._idle_since[self._slot] = float("inf")
        try:
            yield
        finally:
            self._use(self._own)
            self._idle_since[self._slot] = time.monotonic()

    def take(self, tokens: int) -> None:
        """Run so many tokens on this worker's share: all threads, over the workers that are at work."""
        if tokens < self.LEAST_TOKENS:
            self._use(self._own)
            return
        busy = int((self._idle_since > time.monotonic() - self.QUIET_SECONDS).sum())
        self._use(self._own * len(self._idle_since) // max(busy, 1))

    @staticmethod
    def _use(threads: int) -> None:
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)


# ---- Running a batch --------------------------------------------------------------------------------


def packs_of(items: Sequence[Item], budget: int) -> Iterator[list[int]]:
    """Group the indices of `items` into packs: sorted by length, none above `budget` but of one item."""
    if len(items) == 1:
        yield [0]
        return
    order = sorted(range(len(items)), key=lambda index: items[index].length)
    groups: dict[Hashable, list[int]] = {}
    for index in order:
        groups.setdefault(items[index].group, []).append(index)
    for members in groups.values():
        pack: list[int] = []
        for index in members:
            if pack and (len(pack) + 1) * items[index].length > budget:  # the newcomer is the longest
                yield pack
                pack = []
            pack.append(index)
        yield pack


def run_packed(owner: Task, items: Sequence[Item]) -> list[Any]:
    """Run items in packs of at most the task's budget; returns their rows in order.

    A row is an exception where its item failed, and its item only.
    """
    rows: list[Any] = [None] * len(items)
    waiting = list(packs_of(items, owner.budget))[::-1] if items else []
    while waiting:
        pack = waiting.pop()
        longest = items[pack[-1]].length  # a pack is sorted
        owner.threads.take(len(pack) * longest)
        failure = _run_pack(owner, items, pack, rows)
        if failure is None:
            continue
        if len(pack) == 1:
            rows[pack[0]] = failure
        elif isinstance(failure, torch.OutOfMemoryError):
            if owner.device.type == "cuda":
                torch.cuda.empty_cache()
            half = len(pack) // 2
            # Packs of this cost won't fit the next time either.
            owner.budget = min(owner.budget, longest * half)
            logger.warning(
                "out of memory with %d rows: going on with %d, at most %d tokens from now on",
                len(pack), half, owner.budget,
            )  # fmt: skip
            waiting += [pack[half:], pack[:half]]
        else:
            waiting += [[index] for index in reversed(pack)]
    return rows


def _run_pack(owner: Task, items: Sequence[Item], pack: list[int], rows: list[Any]) -> Exception | None:
    """Run one pack into `rows`; returns what went wrong, without the frames that hold its tensors."""
    try:
        with torch.inference_mode():
            results = owner.run([items[index] for index in pack])
    except Exception as error:
        return error.with_traceback(None) if isinstance(error, torch.OutOfMemoryError) else error
    for index, row in zip(pack, results, strict=True):
        rows[index] = row
    return None


# ---- Text encoders: tokenizing, padding, pooling ----------------------------------------------------------


class EncoderTask(Task):
    """A task whose items are token rows and whose model is run once a pack.

    Attributes:
        auto_class: Name of the `AutoModel*` class.
        may_miss: Beginnings of the names of weights that the task doesn't need.
        truncation: Which of a pair is cut; transformers' names.
    """

    auto_class: ClassVar[str]
    may_miss: ClassVar[tuple[str, ...]] = ()
    truncation: ClassVar[str] = "longest_first"
    shares_threads = True

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.load()
        self.pad = Padding.of(self.tokenizer)
        if archive.settings["device_map"]:
            self.device = self.model.device

    def load(self) -> None:
        """Set `model` and `tokenizer`."""
        self.model = self.archive.model(getattr(transformers, self.auto_class), may_miss=self.may_miss)
        self.tokenizer = load_tokenizer(self.archive, self.model, self.archive.settings["max_length"])

    @property
    def limit(self) -> int:
        """Tokens of the longest row."""
        return int(self.tokenizer.model_max_length)

    def encode(self, queries: Sequence[Query], texts: Sequence[Sequence[Any]]) -> list[list[Item]]:
        """Tokenize the texts, or pairs of texts as tuples, of each query; all of them in one call.

        What is longer than the model takes is cut and the query says so, or the query fails (422), as
        `handler.truncation` says.
        """
        rows = iter(tokenize(self.tokenizer, [text for several in texts for text in several]))
        limit = self.limit
        work: list[list[Item]] = []
        for query, several in zip(queries, texts, strict=True):
            items = []
            for text in several:
                row = next(rows)
                if len(row["input_ids"]) > limit and query.failure is None:
                    row = self._cut_row(query, text, row)
                items.append(Item(row, len(row["input_ids"])))
            work.append([] if query.failure else items)
        return work

    def _cut_row(self, query: Query, text: Any, row: dict[str, list[int]]) -> dict[str, list[int]]:
        if not self.may_cut(query, len(row["input_ids"])):
            return row
        try:
            return tokenize(self.tokenizer, [text], self.limit, self.truncation)[0]
        except Exception:  # tokenizers has no exceptions of its own; the part to cut is too short
            query.failure = Refused(f"together the texts exceed the {self.limit} tokens of the model", 422)
            return row

    def may_cut(self, query: Query, tokens: int) -> bool:
        """Mark a query whose text is cut; or fail it, where it or the settings say so, and return False."""
        refused = self.archive.settings["truncation"] == "error"
        if not query.parameters.get("truncation", not refused):
            query.failure = Refused(f"the text has {tokens} tokens, the model takes {self.limit}", 422)
            return False
        query.truncated = True
        return True

    def forward(self, pack: list[Item]) -> tuple[Any, dict[str, torch.Tensor]]:
        """Run a pack; returns the model's output and the batch (rows x tokens) that gave it."""
        batch = self.pad([item.inputs for item in pack], self.device)
        return self.model(**batch), batch

    def warm_up(self) -> None:
        """Answer the example, then measure the budget of a pack."""
        super().warm_up()
        if not self.archive.settings["max_batch_tokens"]:
            self.budget = measure_budget(self)


def tokenize(
    tokenizer: Any, texts: Sequence[Any], max_length: int | None = None, truncation: str = "longest_first"
) -> list[dict[str, list[int]]]:
    """Tokenize texts and pairs of texts (tuples), unpadded, in order, in one call.

    Args:
        tokenizer: Of transformers.
        texts: `str` or `tuple[str, str]`.
        max_length: Where to cut; None cuts nothing.
        truncation: Which of a pair is cut.

    Returns:
        `input_ids`, and `token_type_ids` where the model takes them; a row a text.
    """
    names = [name for name in tokenizer.model_input_names if name in {"input_ids", "token_type_ids"}]
    if tokenizer.is_fast:
        # The backend itself: transformers' call around it takes as long again for one short text.
        backend = tokenizer.backend_tokenizer
        if max_length is not None:
            backend.enable_truncation(max_length, strategy=truncation)
        elif backend.truncation is not None:
            backend.no_truncation()
        if backend.padding is not None:
            backend.no_padding()
        encodings = backend.encode_batch_fast(texts)
        if names == ["input_ids"]:
            return [{"input_ids": encoding.ids} for encoding in encodings]
        return [{"input_ids": encoding.ids, "token_type_ids": encoding.type_ids} for encoding in encodings]
    rows = []
    for text in texts:
        pair = text if isinstance(text, tuple) else (text,)
        cut = {"truncation": truncation, "max_length": max_length} if max_length else {"truncation": False}
        encoded = tokenizer(*pair, verbose=False, **cut)
        rows.append({name: list(encoded[name]) for name in names})
    return rows


@dataclass(frozen=True)
class Padding:
    """Makes tensors of token rows, padded to the longest.

    Attributes:
        values: What each input is padded with.
        left: Whether padding comes first.
    """

    values: dict[str, int]
    left: bool

    @classmethod
    def of(cls, tokenizer: Any) -> "Padding":
        """Pad as a tokenizer would."""
        types = getattr(tokenizer, "pad_token_type_id", 0)
        values = {"input_ids": tokenizer.pad_token_id or 0, "attention_mask": 0, "token_type_ids": types}
        return cls(values, tokenizer.padding_side == "left")

    def __call__(
        self, rows: Sequence[Mapping[str, list[int]]], device: torch.device
    ) -> dict[str, torch.Tensor]:
        """Return each input as a tensor (rows x tokens) on `device`, with an attention mask."""
        lengths = [len(row["input_ids"]) for row in rows]
        longest = max(lengths)
        columns: dict[str, list[list[int]]] = {
            name: [self._fill(row[name], longest, name) for row in rows] for name in rows[0]
        }
        if "attention_mask" not in columns:
            columns["attention_mask"] = [self._fill([1] * n, longest, "attention_mask") for n in lengths]
        pinned = device.type == "cuda"
        return {
            name: torch.tensor(column, pin_memory=pinned).to(device, non_blocking=pinned)
            for name, column in columns.items()
        }

    def without(self, values: numpy.ndarray, pack: Sequence[Item]) -> list[numpy.ndarray]:
        """Return the part of each row (rows x tokens x ...) that is no padding."""
        return [
            row[len(row) - item.length :] if self.left else row[: item.length]
            for row, item in zip(values, pack, strict=True)
        ]

    def _fill(self, row: list[int], length: int, name: str) -> list[int]:
        if len(row) == length:
            return row
        filling = [self.values.get(name, 0)] * (length - len(row))
        return filling + row if self.left else row + filling


def load_tokenizer(
    archive: Archive, model: Any, max_length: int | None = None, folder: Path | None = None
) -> Any:
    """Load a tokenizer that pads; its `model_max_length` is what the model takes, `max_length` at most."""
    tokenizer = archive.processor(transformers.AutoTokenizer, folder)
    files = sorted({"tokenizer.json", *tokenizer.vocab_files_names.values()})
    if not any(((folder or archive.folder) / name).is_file() for name in files):
        # transformers makes one that knows no word, and everything would be answered as [UNK].
        raise ValueError(
            f"the archive has no tokenizer: none of {', '.join(files)}; "
            "fix: save the tokenizer into the model's folder, or package it with --tokenizer"
        )
    if tokenizer.pad_token is None:  # decoders, as a rule
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    limits = [max_length or tokenizer.model_max_length]
    limits.append(getattr(model.config, "max_position_embeddings", None) or limits[0])
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            # RoBERTa and its kin count positions from the padding index on.
            first = 0 if module.padding_idx is None else module.padding_idx + 1
            limits.append(module.num_embeddings - first)
    tokenizer.model_max_length = min(limits)
    return tokenizer


def measure_budget(owner: EncoderTask, seconds: float = 1.0) -> int:
    """Return the smallest pack, in tokens, that runs at nearly the best speed of this device.

    Rows of middle length are run in ever larger packs until speed no longer grows, time is up or memory is
    full. Small packs waste less on padding and keep a GPU's memory free, so the smallest within 5 % wins.
    """
    length = min(owner.limit, 64)
    example = owner.split([owner.read(owner.example, {})])[0][0].inputs
    row = {name: (values * length)[:length] for name, values in example.items()}
    deadline = time.monotonic() + seconds
    largest = 2**13 if owner.device.type == "cpu" else 2**18  # a CPU's cores are busy long before
    speeds: dict[int, float] = {}
    budget = 256
    while budget <= largest and time.monotonic() < deadline:
        items = [Item(row, length)] * max(1, budget // length)
        try:
            took = [_seconds_of(owner, items)]
            while len(took) < 3 and time.monotonic() < deadline:
                took.append(_seconds_of(owner, items))
        except (RuntimeError, ValueError, IndexError):  # out of memory, or no model for such a row
            break
        speeds[budget] = len(items) * length / min(took)
        if budget // 4 in speeds and speeds[budget] < 1.02 * speeds[budget // 4]:
            break
        if time.monotonic() + 2 * took[-1] > deadline:
            break
        budget *= 2
    best = max(speeds.values(), default=0)
    return min((size for size, speed in speeds.items() if speed >= 0.95 * best), default=owner.budget)


def _seconds_of(owner: EncoderTask, items: list[Item]) -> float:
    started = time.perf_counter()
    with torch.inference_mode():
        owner.forward(items)
        if owner.device.type == "cuda":
            torch.cuda.synchronize(owner.device)
    return time.perf_counter() - started


# ---- Text classification ------------------------------------------------------------------------------

LABEL: Schema = record({"label": TEXT, "score": SCORE})
FUNCTION: Schema = {"type": "string", "enum": ["default", "softmax", "sigmoid", "none"]}


def label_function(config: Any) -> str:
    """Return what transformers' pipelines make scores of logits with, for a classifier of this config."""
    if config.problem_type == "regression":
        return "none"
    many = config.problem_type == "multi_label_classification" or config.num_labels == 1
    return "sigmoid" if many else "softmax"


def scores_of(logits: torch.Tensor, function: str) -> torch.Tensor:
    """Apply `softmax`, `sigmoid` or `none` to logits (rows x labels)."""
    logits = logits.float()
    if function == "none":
        return logits
    return logits.sigmoid() if function == "sigmoid" else logits.softmax(dim=-1)


def ranked_labels(labels: Mapping[int, str], row: Sequence[float], top_k: int | None) -> list[Any]:
    """Return the `top_k` best labels of a row of scores, best first; None for all."""
    order = sorted(range(len(row)), key=lambda index: -row[index])[:top_k]
    return [{"label": labels[index], "score": row[index]} for index in order]


@task("text-classification", "sentiment-analysis")
class TextClassification(EncoderTask):
    """One label of a text or a pair of texts, or the `top_k` best."""

    auto_class = "AutoModelForSequenceClassification"
    fields: ClassVar = {"text": TEXT, "text_pair": TEXT}
    parameters: ClassVar = {"top_k": ALL_OR_COUNT, "function_to_apply": FUNCTION}
    prediction: ClassVar = {"anyOf": [LABEL, list_of(LABEL)]}
    example = "good movie"

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.labels = self.model.config.id2label
        self.function = label_function(self.model.config)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text or pair."""
        work = self.encode(queries, [[one_or_pair(query.fields)] for query in queries])
        for query, items in zip(queries, work, strict=True):
            function = query.parameters.get("function_to_apply", "default")
            for item in items:
                item.group = self.function if function == "default" else function
        return work

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The score of each label, a row an item."""
        output, _ = self.forward(pack)
        rows: list[list[float]] = scores_of(output.logits, str(pack[0].group)).tolist()
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The best label; a list when `top_k` asks how many."""
        if "top_k" in query.parameters:
            return ranked_labels(self.labels, rows[0], query.parameters["top_k"])
        best = max(range(len(rows[0])), key=rows[0].__getitem__)
        return {"label": self.labels[best], "score": rows[0][best]}


def one_or_pair(fields: Fields) -> Any:
    """Return the text, or the text and its pair as a tuple."""
    return (fields["text"], fields["text_pair"]) if "text_pair" in fields else fields["text"]


# ---- Sentence embeddings --------------------------------------------------------------------------------


def sentence_modules(folder: Path) -> list[tuple[str, Path]]:
    """Return the sentence-transformers modules of a model, as kind (`Pooling`) and folder; may be none."""
    modules = read_json(folder / "modules.json")
    if modules:
        return [(entry["type"].rpartition(".")[2], folder / entry["path"]) for entry in modules]
    pooling = folder / "1_Pooling"
    return [("Transformer", folder), ("Pooling", pooling)] if pooling.is_dir() else []


def weighted_mean(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Average token vectors (rows x tokens x size) with `weights` (rows x tokens)."""
    total = weights.sum(dim=1, keepdim=True).clamp(min=1)
    return torch.einsum("bth,bt->bh", hidden, weights.to(hidden.dtype)) / total


def token_at(hidden: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """Pick one token vector a row."""
    return hidden[torch.arange(len(hidden), device=hidden.device), position]


# Each takes token vectors (rows x tokens x size) and the attention mask (rows x tokens); padding may stand on
# either side. Names, order of concatenation and meaning are those of sentence-transformers' Pooling module.
POOLING: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cls": lambda hidden, mask: token_at(hidden, mask.int().argmax(dim=1)),
    "max": lambda hidden, mask: hidden.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(dim=1),
    "mean": weighted_mean,
    "mean_sqrt_len_tokens": lambda hidden, mask: (
        weighted_mean(hidden, mask) * mask.sum(dim=1, keepdim=True).sqrt()
    ),
    "weightedmean": lambda hidden, mask: weighted_mean(hidden, mask.cumsum(dim=1) * mask),
    "lasttoken": lambda hidden, mask: token_at(hidden, mask.shape[1] - 1 - mask.int().flip(1).argmax(dim=1)),
}


# The flags older versions wrote instead of one `pooling_mode`, in the order their vectors are concatenated.
POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


def pooling_modes(config: Mapping[str, Any]) -> list[str]:
    """Return the modes that the config of a Pooling module names; `mean` when it names none.

    Raises:
        ValueError: It names a mode that is not in `POOLING`.
    """
    named = config.get("pooling_mode") or [mode for flag, mode in POOLING_FLAGS.items() if config.get(flag)]
    modes = [named] if isinstance(named, str) else list(named)
    unknown = [str(mode) for mode in modes if mode not in POOLING]
    if unknown:
        raise ValueError(
            f"unknown pooling modes: {', '.join(unknown)}; accepted: {', '.join(POOLING)}; "
            "fix: correct config.json of the Pooling module"
        )
    return modes or ["mean"]


VECTOR: Schema = list_of(SCORE)


@task("sentence-embeddings", "embeddings")
class SentenceEmbeddings(EncoderTask):
    """One vector a text, as sentence-transformers gives: by its Pooling, Dense and Normalize, or the mean."""

    auto_class = "AutoModel"
    may_miss = (
        "pooler.",
    )  # of BERT and its kin: no part of the token vectors, and masked-LM checkpoints lack it
    parameters: ClassVar = {"normalize": FLAG, "dimensions": COUNT, "prompt_name": TEXT}
    aliases: ClassVar = {"normalize_embeddings": "normalize", "truncate_dim": "dimensions"}
    prediction: ClassVar = VECTOR

    def load(self) -> None:
        """Load the encoder and the modules behind it.

        Raises:
            ValueError: The model needs something that this task doesn't do.
        """
        modules = sentence_modules(self.archive.folder)
        unknown = sorted({kind for kind, _ in modules} - {"Transformer", "Pooling", "Dense", "Normalize"})
        if unknown:
            raise ValueError(
                f"unknown modules in modules.json: {', '.join(unknown)}; accepted: Transformer, Pooling, "
                "Dense, Normalize; fix: serve this model with a handler of its own"
            )
        paths = dict(modules)
        folder = paths.get("Transformer", self.archive.folder)
        settings = read_json(folder / "sentence_bert_config.json")
        prompts = read_json(self.archive.folder / "config_sentence_transformers.json")
        self.prompts: dict[str, str] = prompts.get("prompts") or {}
        self.prompt = self.prompts.get(prompts.get("default_prompt_name"), "")
        self.lower_case = bool(settings.get("do_lower_case"))
        pooling = read_json(paths.get("Pooling", self.archive.folder / "1_Pooling") / "config.json")
        self.modes = pooling_modes(pooling)
        self.pools_prompt = pooling.get("include_prompt", True)
        self.model = self.archive.model(transformers.AutoModel, folder, self.may_miss)
        if self.model.config.is_encoder_decoder:
            raise ValueError(
                f"{self.model.config.model_type} is an encoder-decoder; accepted: encoders or decoders; "
                "fix: serve this model with a handler of its own"
            )
        limit = self.archive.settings["max_length"] or settings.get("max_seq_length")
        self.tokenizer = load_tokenizer(self.archive, self.model, limit, folder)
        device = self.model.device if self.archive.settings["device_map"] else self.archive.device
        self.dense = [load_dense(path).to(device) for kind, path in modules if kind == "Dense"]
        self.normalized = "Normalize" in paths

    def read(self, instance: Any, parameters: Parameters) -> Query:
        """Read an instance; refuses prompts the model doesn't know."""
        query = super().read(instance, parameters)
        if query.parameters.get("prompt_name", "") not in {"", *self.prompts}:
            raise Refused(
                f"unknown prompt_name; accepted: {', '.join(self.prompts) or 'none, the model has none'}"
            )
        return query

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text, its prompt before it."""
        return self.encode_prompted(queries, [[query.fields["text"]] for query in queries])

    def encode_prompted(self, queries: Sequence[Query], texts: Sequence[list[str]]) -> list[list[Item]]:
        """Tokenize several texts a query, each with the query's prompt before it."""
        prompts = [
            self.prompts.get(query.parameters.get("prompt_name", ""), self.prompt) for query in queries
        ]
        if self.lower_case or any(prompts):
            texts = [
                [self._prompted(prompt, text) for text in several]
                for prompt, several in zip(prompts, texts, strict=True)
            ]
        work = self.encode(queries, texts)
        if not self.pools_prompt:
            for prompt, items in zip(prompts, work, strict=True):
                for item in items:
                    item.group = self._prompt_tokens(prompt)
        return work

    def _prompted(self, prompt: str, text: str) -> str:
        return (prompt + text).lower() if self.lower_case else prompt + text

    def _prompt_tokens(self, prompt: str) -> int:
        """How many tokens of a row are its prompt's, the one that begins every row among them."""
        if not prompt:
            return 0
        ids = tokenize(self.tokenizer, [prompt])[0]["input_ids"]
        return len(ids) - (ids[-1] in self.tokenizer.all_special_ids)

    def vectors(self, pack: list[Item]) -> torch.Tensor:
        """Return the vectors (rows x size) as the model's modules make them, before Normalize."""
        output, batch = self.forward(pack)
        mask = batch["attention_mask"]
        if pack[0].group:  # the prompt is read and not pooled
            mask = mask * (mask.cumsum(dim=1) > pack[0].group)
        vectors = torch.cat([POOLING[mode](output.last_hidden_state, mask) for mode in self.modes], dim=1)
        for layer in self.dense:
            vectors = layer(vectors.float())
        return vectors.float()

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """One vector an item."""
        vectors = self.vectors(pack)
        if self.normalized:
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        rows: list[list[float]] = vectors.tolist()
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The vector, or its first `dimensions`; of unit length when asked for, or when the model's is."""
        vector: list[float] = rows[0]
        if not query.parameters:
            return vector
        dimensions = query.parameters.get("dimensions")
        if dimensions is not None and dimensions > len(vector):
            raise Refused(f"dimensions must be at most {len(vector)}, got {dimensions}")
        normalize = query.parameters.get("normalize", self.normalized)
        if normalize and (dimensions is not None or not self.normalized):
            shortened = torch.tensor(vector[:dimensions])
            return torch.nn.functional.normalize(shortened, dim=0).tolist()
        return vector[:dimensions]


def load_dense(folder: Path) -> torch.nn.Module:
    """Load a Dense module of sentence-transformers.

    Raises:
        ValueError: It has an activation that torch hasn't, or no weights.
    """
    config = read_json(folder / "config.json")
    name = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
    activation = getattr(torch.nn, name, None)
    if not (isinstance(activation, type) and issubclass(activation, torch.nn.Module)):
        raise ValueError(
            f"unknown activation {name!r} in {folder.name}; accepted: torch.nn's; fix: correct config.json"
        )
    safe = folder / "model.safetensors"
    if safe.is_file():
        from safetensors.torch import load_file

        weights = load_file(safe)
    else:
        weights = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    linear = torch.nn.Linear(config["in_features"], config["out_features"], bias=config.get("bias", True))
    linear.load_state_dict({key.removeprefix("linear."): value for key, value in weights.items()})
    return torch.nn.Sequential(linear, activation()).eval().requires_grad_(False)


# ---- Sentence similarity --------------------------------------------------------------------------------


@task("sentence-similarity")
class SentenceSimilarity(SentenceEmbeddings):
    """The cosine of a sentence with each of others."""

    fields: ClassVar = {"source_sentence": TEXT, "sentences": TEXTS}
    required = ("source_sentence", "sentences")
    parameters: ClassVar = {"prompt_name": TEXT}
    prediction: ClassVar = record({"similarities": list_of(SCORE)})
    example: ClassVar = {"source_sentence": "a movie", "sentences": ["a film", "bread"]}

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a sentence, the source first."""
        return self.encode_prompted(
            queries, [[query.fields["source_sentence"], *query.fields["sentences"]] for query in queries]
        )

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """One unit vector an item, as a tensor."""
        return list(torch.nn.functional.normalize(self.vectors(pack), dim=1).cpu())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Of unit vectors the cosine is the product."""
        return {"similarities": (torch.stack(rows[1:]) @ rows[0]).tolist()}


# ---- Text ranking ---------------------------------------------------------------------------------------


@task("text-ranking", "sentence-ranking", "rerank")
class TextRanking(EncoderTask):
    """How well texts answer a query, by a cross-encoder."""

    auto_class = "AutoModelForSequenceClassification"
    fields: ClassVar = {
        "pairs": {"anyOf": [{**list_of({**TEXTS, "minItems": 2, "maxItems": 2}), "minItems": 1},
                            {**TEXTS, "minItems": 2, "maxItems": 2}]},
        "query": TEXT,
        "texts": TEXTS,
        "text": TEXT,
        "text_pair": TEXT,
    }  # fmt: skip
    forms: ClassVar = (("pairs",), ("query", "texts"), ("text", "text_pair"))
    parameters: ClassVar = {
        "return_documents": {**FLAG, "default": False},
        "top_k": COUNT,
        "function_to_apply": FUNCTION,
    }
    aliases: ClassVar = {"documents": "texts", "passages": "texts"}
    prediction: ClassVar = {"anyOf": [
        list_of(record({"index": {"type": "integer"}, "score": SCORE}, {"text": TEXT})),
        record({"scores": list_of(SCORE)}),
    ]}  # fmt: skip
    example: ClassVar = {"query": "a movie", "texts": ["a film", "bread"]}

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        if self.model.config.num_labels != 1:
            raise ValueError(
                f"text-ranking needs a model of one label, this one has {self.model.config.num_labels}; "
                "fix: set handler.task to text-classification or zero-shot-classification"
            )
        named = read_json(archive.folder / "config_sentence_transformers.json").get("activation_fn") or (
            read_json(archive.folder / "config.json").get("sentence_transformers") or {}
        ).get("activation_fn")
        self.function = "none" if str(named).endswith("Identity") else "sigmoid"

    def is_one(self, inputs: list[Any]) -> bool:
        """A pair of texts is one instance, and so is a list of pairs."""
        return all(isinstance(entry, str) for entry in inputs) or all(
            isinstance(entry, list) for entry in inputs
        )

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a pair."""
        work = self.encode(queries, [self._pairs(query.fields) for query in queries])
        for query, items in zip(queries, work, strict=True):
            function = query.parameters.get("function_to_apply", "default")
            for item in items:
                item.group = self.function if function == "default" else function
        return work

    @staticmethod
    def _pairs(fields: Fields) -> list[tuple[str, str]]:
        if "query" in fields:
            return [(fields["query"], text) for text in fields["texts"]]
        if "text" in fields:
            return [(fields["text"], fields["text_pair"])]
        pairs = fields["pairs"]
        return [tuple(pairs)] if isinstance(pairs[0], str) else [tuple(pair) for pair in pairs]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """One score an item."""
        output, _ = self.forward(pack)
        if pack[0].group == "softmax":
            raise Refused(
                "function_to_apply softmax makes 1 of any one score; accepted: default, sigmoid, none"
            )
        scores: list[float] = scores_of(output.logits[:, 0], str(pack[0].group)).tolist()
        return scores

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Of a query and texts the ranking, best first; of pairs their scores."""
        if "query" not in query.fields:
            return {"scores": rows}
        order = sorted(range(len(rows)), key=lambda index: -rows[index])[: query.parameters.get("top_k")]
        texts = query.fields["texts"]
        with_text = query.parameters["return_documents"]
        return [
            {"index": index, "score": rows[index]} | ({"text": texts[index]} if with_text else {})
            for index in order
        ]


# ---- Table question answering ---------------------------------------------------------------------------

CELL: Schema = {"anyOf": [TEXT, NUMBER]}
COLUMNS: Schema = {"type": "object", "additionalProperties": list_of(CELL)}
ROWS: Schema = {**list_of({"type": "object", "additionalProperties": CELL}), "minItems": 1}


@task("table-question-answering")
class TableQuestionAnswering(Task):
    """The cells of a table that answer a question, by a TAPAS model; needs pandas."""

    fields: ClassVar = {"query": TEXT, "table": {"anyOf": [COLUMNS, ROWS]}}
    required = ("query", "table")
    aliases: ClassVar = {"question": "query"}
    prediction: ClassVar = record(
        {"answer": TEXT, "coordinates": list_of(list_of({"type": "integer"})), "cells": list_of(TEXT)},
        {"aggregator": TEXT},
    )
    example: ClassVar = {"query": "how many", "table": {"name": ["Anna"], "price": ["10"]}}

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.pandas = need("pandas", self.name)
        self.model = archive.model(transformers.AutoModelForTableQuestionAnswering)
        self.tokenizer = archive.processor(transformers.AutoTokenizer)
        self.aggregations = getattr(self.model.config, "aggregation_labels", None)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a question, not padded: each token of a table has seven types."""
        work: list[list[Item]] = []
        for query in queries:
            try:
                table = self._table(query.fields["table"])
                inputs = self.tokenizer(table=table, queries=query.fields["query"], return_tensors="pt")
                length = inputs["input_ids"].shape[1]
                limit = self.model.config.max_position_embeddings
                if length > limit:
                    raise Refused(f"question and table have {length} tokens, the model takes {limit}", 422)
                work.append([Item(inputs, length, source=table)])
            except Refused as error:
                query.failure = error
                work.append([])
        return work

    def _table(self, table: Any) -> Any:
        if isinstance(table, list):
            names = list(table[0])
            if any(list(row) != names for row in table):
                raise Refused("every row of table must have the same columns, in one order")
            table = {name: [row[name] for row in table] for name in names}
        if (
            not table
            or len({len(column) for column in table.values()}) != 1
            or not next(iter(table.values()))
        ):
            raise Refused("table must have columns of one length, at least 1")
        return self.pandas.DataFrame({name: [str(cell) for cell in column] for name, column in table.items()})

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The logits of cells and of aggregations, a row an item."""
        rows = []
        for item in pack:
            output = self.model(**item.inputs.to(self.device))
            rows.append((output.logits.float().cpu(), output.logits_aggregation))
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The cells, and what is to be done with them."""
        logits, aggregation = rows[0]
        table, inputs = items[0].source, items[0].inputs.to("cpu")
        if self.aggregations and aggregation is not None:
            places, chosen = self.tokenizer.convert_logits_to_predictions(
                inputs, logits, aggregation.float().cpu()
            )
            number = chosen[0]
        else:
            (places,) = self.tokenizer.convert_logits_to_predictions(inputs, logits)
            number = None
        cells = [table.iat[place] for place in places[0]]
        answer = {
            "answer": ", ".join(cells),
            "coordinates": [list(map(int, place)) for place in places[0]],
            "cells": cells,
        }
        if number is not None:
            answer["aggregator"] = self.aggregations[number]
            if number != self.model.config.no_aggregation_label_index:
                answer["answer"] = f"{answer['aggregator']} > {answer['answer']}"
        return answer


# ---- Token classification -------------------------------------------------------------------------------

PLACE: Schema = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
ENTITY: Schema = record(
    {"score": SCORE, "word": TEXT, "start": PLACE, "end": PLACE},
    {"entity": TEXT, "entity_group": TEXT, "index": COUNT},
)


@dataclass(slots=True)
class Token:
    """A token with the scores of its labels.

    Attributes:
        word: As the vocabulary has it; an unknown one as the text has it.
        scores: One a label.
        start: Where it begins in the text, in characters; None when the tokenizer doesn't tell.
        end: Where it ends.
        index: Its place in the row; counts special tokens.
        continues: Whether it goes on with the word of the token before.
    """

    word: str
    scores: numpy.ndarray
    start: int | None
    end: int | None
    index: int
    continues: bool


@task("token-classification", "ner")
class TokenClassification(EncoderTask):
    """The entities of a text, a token each or grouped, as transformers' pipeline gives them."""

    auto_class = "AutoModelForTokenClassification"
    parameters: ClassVar = {
        "aggregation_strategy": {
            "type": "string",
            "enum": ["none", "simple", "first", "average", "max"],
            "default": "none",
        },
        "ignore_labels": {**list_of(TEXT), "default": ["O"]},
        "stride": {"type": "integer", "minimum": 0},
    }
    prediction: ClassVar = list_of(ENTITY)
    example = "Anna lives in Berlin"

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.labels = self.model.config.id2label
        backend = self.tokenizer.backend_tokenizer if self.tokenizer.is_fast else None
        self.marks_subwords = bool(
            getattr(getattr(backend, "model", None), "continuing_subword_prefix", None)
        )

    def read(self, instance: Any, parameters: Parameters) -> Query:
        """Read an instance; refuses what the tokenizer can't do."""
        query = super().read(instance, parameters)
        strategy, stride = query.parameters["aggregation_strategy"], query.parameters.get("stride")
        if not self.tokenizer.is_fast and (stride is not None or strategy not in {"none", "simple"}):
            raise Refused(
                "this model's tokenizer tells no offsets: no stride, aggregation_strategy none or simple"
            )
        if stride is not None and strategy == "none":
            raise Refused("stride needs an aggregation_strategy other than none")
        room = self.limit - self.tokenizer.num_special_tokens_to_add()
        if stride is not None and stride >= room:
            raise Refused(f"stride must be below {room}, got {stride}")
        return query

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text, or a window each `stride` apart."""
        texts = [(query.fields["text"],) for query in queries]
        strides = [query.parameters.get("stride") for query in queries]
        work = windows(self.tokenizer, texts, [(self.limit, stride or 0) for stride in strides])
        for query, stride, text, items in zip(queries, strides, texts, work, strict=True):
            if stride is None and len(items) > 1:
                del items[1:]
                if not self.may_cut(query, text[0]):
                    items.clear()
        return work

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The probability of each label (tokens x labels), a row an item."""
        output, _ = self.forward(pack)
        return self.pad.without(output.logits.float().softmax(dim=-1).cpu().numpy(), pack)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The entities of all windows; of two that overlap, the longer one, then the likelier."""
        ignored = query.parameters["ignore_labels"]
        entities: list[Fields] = []
        for item, scores in zip(items, rows, strict=True):
            tokens = self._tokens(query.fields["text"], item.source, scores)
            entities += self._entities(tokens, query.parameters["aggregation_strategy"])
        entities = [
            entity for entity in entities
            if entity.get("entity") not in ignored and entity.get("entity_group") not in ignored
        ]  # fmt: skip
        return without_overlaps(entities) if len(items) > 1 else entities

    def _tokens(self, text: str, encoding: Any, scores: numpy.ndarray) -> list[Token]:
        tokens = []
        for index, (word, special) in enumerate(
            zip(encoding.tokens, encoding.special_tokens_mask, strict=True)
        ):
            if special:
                continue
            start, end = encoding.offsets[index] if encoding.offsets else (None, None)
            continues = False
            if start is not None:
                if encoding.ids[index] == self.tokenizer.unk_token_id:
                    word = text[start:end]  # noqa: PLW2901
                elif self.marks_subwords:
                    continues = len(word) != end - start
                else:
                    continues = start > 0 and " " not in text[start - 1 : start + 1]
            tokens.append(Token(word, scores[index], start, end, index, continues))
        return tokens

    def _entities(self, tokens: list[Token], strategy: str) -> list[Fields]:
        if strategy in {"none", "simple"}:
            entities = [self._entity([token], token.scores) | {"index": token.index, "word": token.word}
                        for token in tokens]  # fmt: skip
            return entities if strategy == "none" else self._groups(entities)
        words: list[list[Token]] = []
        for token in tokens:
            if words and token.continues:
                words[-1].append(token)
            else:
                words.append([token])
        choose: dict[str, Callable[[list[Token]], numpy.ndarray]] = {
            "first": lambda word: word[0].scores,
            "max": lambda word: max(word, key=lambda token: token.scores.max()).scores,
            "average": lambda word: numpy.nanmean([token.scores for token in word], axis=0),
        }
        return self._groups([self._entity(word, choose[strategy](word)) for word in words])

    def _entity(self, word: list[Token], scores: numpy.ndarray) -> Fields:
        best = int(scores.argmax())
        return {
            "entity": self.labels[best],
            "score": float(scores[best]),
            "word": self.tokenizer.convert_tokens_to_string([token.word for token in word]),
            "start": word[0].start,
            "end": word[-1].end,
        }  # fmt: skip

    def _groups(self, entities: list[Fields]) -> list[Fields]:
        """Join neighbours of one tag; `B-` begins a new entity."""
        groups: list[list[Fields]] = []
        for entity in entities:
            tag = tag_of(entity["entity"])
            if groups and tag == tag_of(groups[-1][-1]["entity"]) and not entity["entity"].startswith("B-"):
                groups[-1].append(entity)
            else:
                groups.append([entity])
        return [
            {
                "entity_group": group[0]["entity"].split("-", 1)[-1],
                "score": float(numpy.nanmean([entity["score"] for entity in group])),
                "word": self.tokenizer.convert_tokens_to_string([entity["word"] for entity in group]),
                "start": group[0]["start"],
                "end": group[-1]["end"],
            }
            for group in groups
        ]


def tag_of(label: str) -> str:
    """Return a label without the `B-` or `I-` that says where in an entity it stands."""
    return label[2:] if label.startswith(("B-", "I-")) else label


def without_overlaps(entities: list[Fields]) -> list[Fields]:
    """Keep the longer of two entities that overlap; the likelier of two of one length."""
    kept: list[Fields] = []
    for entity in sorted(entities, key=lambda entity: entity["start"]):
        if kept and kept[-1]["start"] <= entity["start"] < kept[-1]["end"]:
            sizes = [(each["end"] - each["start"], each["score"]) for each in (entity, kept[-1])]
            if sizes[0] > sizes[1]:
                kept[-1] = entity
        else:
            kept.append(entity)
    return kept


def windows(
    tokenizer: Any,
    texts: Sequence[tuple[str, ...]],
    cuts: Sequence[tuple[int, int]],
    strategy: str = "longest_first",
) -> list[list[Item]]:
    """Tokenize into windows: all of a text, in rows of at most so many tokens that share some with the last.

    Args:
        tokenizer: Of transformers.
        texts: One text or a pair of texts each.
        cuts: For each, the longest row and how many tokens neighbouring rows share.
        strategy: Which of a pair is spread over windows; transformers' `truncation`.

    Returns:
        The items of each text. Their `source` is the row's encoding: `ids`, `tokens`, `offsets` (None when
        the tokenizer doesn't tell), `special_tokens_mask`.
    """
    work: list[list[Item]] = [[] for _ in texts]
    together: dict[tuple[int, int], list[int]] = {}
    for index, cut in enumerate(cuts):
        together.setdefault(cut, []).append(index)
    for (max_length, stride), members in together.items():
        columns = [list(column) for column in zip(*(texts[index] for index in members), strict=True)]
        options = {"truncation": strategy, "max_length": max_length, "return_special_tokens_mask": True}
        if not tokenizer.is_fast:
            for index, *text in zip(members, *columns, strict=True):
                work[index].append(_slow_window(tokenizer, text, options))
            continue
        encoded = tokenizer(*columns, stride=stride, return_overflowing_tokens=True, **options)
        for encoding, member in zip(encoded.encodings, encoded["overflow_to_sample_mapping"], strict=True):
            row = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
            inputs = {name: row[name] for name in row if name in tokenizer.model_input_names}
            work[members[member]].append(Item(inputs, len(encoding.ids), source=encoding))
    return work


def _slow_window(tokenizer: Any, text: list[str], options: Parameters) -> Item:
    """One row of a tokenizer that is written in Python: it tells no offsets."""
    encoded = tokenizer(*text, **options)
    ids = list(encoded["input_ids"])
    inputs = {name: list(encoded[name]) for name in ("input_ids", "token_type_ids") if name in encoded}
    source = SimpleNamespace(
        ids=ids, tokens=tokenizer.convert_ids_to_tokens(ids), offsets=None,
        special_tokens_mask=encoded["special_tokens_mask"],
    )  # fmt: skip
    return Item(inputs, len(ids), source=source)


# ---- Question answering ---------------------------------------------------------------------------------

ANSWER: Schema = record(
    {"score": SCORE, "start": {"type": "integer"}, "end": {"type": "integer"}, "answer": TEXT}
)


@task("question-answering")
class QuestionAnswering(EncoderTask):
    """The span of a context that answers a question, as the pipeline of transformers 4.57 gave it."""

    auto_class = "AutoModelForQuestionAnswering"
    fields: ClassVar = {"question": TEXT, "context": {**TEXT, "minLength": 1}}
    required = ("question", "context")
    parameters: ClassVar = {
        "top_k": {**COUNT, "default": 1},
        "doc_stride": {"type": "integer", "minimum": 0},
        "max_answer_len": {**COUNT, "default": 15},
        "max_seq_len": COUNT,
        "max_question_len": COUNT,  # taken, and without effect, as in 4.57 with tokenizers that tell offsets
        "handle_impossible_answer": {**FLAG, "default": False},
        "align_to_words": {**FLAG, "default": True},
    }
    aliases: ClassVar = {"topk": "top_k"}
    prediction: ClassVar = {"anyOf": [ANSWER, list_of(ANSWER)]}
    example: ClassVar = {"question": "Who is here?", "context": "Anna is here."}

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        if not self.tokenizer.is_fast:
            raise ValueError(
                "question-answering needs a tokenizer with offsets; fix: package tokenizer.json too"
            )
        self.question_first = self.tokenizer.padding_side == "right"

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """The windows of each context, every one beside the question."""
        questions = tokenize(self.tokenizer, [query.fields["question"] for query in queries])
        texts, cuts, usable = [], [], []
        for query, question in zip(queries, questions, strict=True):
            cut = self._cut(query, len(question["input_ids"]))
            if cut is not None:
                pair = (query.fields["question"], query.fields["context"])
                texts.append(pair if self.question_first else pair[::-1])
                cuts.append(cut)
                usable.append(query)
        strategy = "only_second" if self.question_first else "only_first"
        spans = iter(windows(self.tokenizer, texts, cuts, strategy))
        return [[] if query.failure else next(spans) for query in queries]

    def _cut(self, query: Query, question_tokens: int) -> tuple[int, int] | None:
        """Return the tokens of a window and those that two share, or fail the query and return None."""
        parameters = query.parameters
        asked = question_tokens - self.tokenizer.num_special_tokens_to_add()
        size = min(parameters.get("max_seq_len", 384), self.limit)
        stride = parameters.get("doc_stride", min(size // 2, 128))
        room = size - asked - self.tokenizer.num_special_tokens_to_add(pair=True)
        if room <= stride:
            query.failure = Refused(
                f"the question's {asked} tokens leave {room} of {size} for the context, which must exceed "
                f"doc_stride, {stride}; send a shorter question or a smaller doc_stride",
                422,
            )
            return None
        return size, stride

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The logits of start and end (2 x tokens), a row an item."""
        output, _ = self.forward(pack)
        logits = torch.stack([output.start_logits, output.end_logits], dim=-1).float().cpu().numpy()
        return self.pad.without(logits, pack)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The best spans of all windows; equal texts are one answer, their scores added."""
        parameters, context = query.parameters, query.fields["context"]
        # Spans can fall into one word, so more are looked at than asked for.
        looked_at = parameters["top_k"] * 2 + 10 if parameters["align_to_words"] else parameters["top_k"]
        answers: dict[str, Fields] = {}
        impossible = 1_000_000.0
        for item, logits in zip(items, rows, strict=True):
            allowed = self._allowed(item.source)
            start, end = (softmax_of(column, allowed) for column in logits.T)
            if parameters["handle_impossible_answer"]:
                impossible = min(impossible, float(start[0] * end[0]))
            start[0] = end[0] = 0.0
            for first, last, score in best_spans(start, end, looked_at, parameters["max_answer_len"]):
                if not (allowed[first] and allowed[last]):
                    continue
                place = self._place(item.source, first, last, parameters["align_to_words"])
                text = context[slice(*place)]
                known = answers.setdefault(
                    text.lower(), {"score": 0.0, "start": place[0], "end": place[1], "answer": text}
                )
                known["score"] += score
        found = list(answers.values())
        if parameters["handle_impossible_answer"]:
            found.append({"score": impossible, "start": 0, "end": 0, "answer": ""})
        found = sorted(found, key=lambda answer: -answer["score"])[: parameters["top_k"]]
        return found[0] if len(found) == 1 else found

    def _allowed(self, encoding: Any) -> numpy.ndarray:
        """Which tokens an answer may begin and end with: the context's, and the one that stands for none."""
        context = 1 if self.question_first else 0
        in_context = numpy.array([sequence == context for sequence in encoding.sequence_ids])
        return in_context | (numpy.array(encoding.ids) == self.tokenizer.cls_token_id)

    def _place(self, encoding: Any, first: int, last: int, whole_words: bool) -> tuple[int, int]:
        """Return where a span of tokens begins and ends in the context, in characters."""
        words = [encoding.token_to_word(token) for token in (first, last)]
        if whole_words and None not in words:
            context = 1 if self.question_first else 0
            ends = [encoding.word_to_chars(word, context) for word in words]
            if None not in ends:
                return ends[0][0], ends[1][1]
        return encoding.offsets[first][0], encoding.offsets[last][1]


def softmax_of(logits: numpy.ndarray, allowed: numpy.ndarray) -> numpy.ndarray:
    """Return the probability of each token, next to none where it isn't allowed."""
    logits = numpy.where(allowed, logits, numpy.float32(-10000))
    weights = numpy.exp(logits - logits.max())
    return numpy.asarray(weights / weights.sum())


def best_spans(
    start: numpy.ndarray, end: numpy.ndarray, count: int, longest: int
) -> Iterator[tuple[int, int, float]]:
    """Yield the `count` likeliest spans of at most `longest` tokens: first, last and probability."""
    spans = numpy.tril(numpy.triu(numpy.outer(start, end)), min(longest, len(start)) - 1).ravel()
    if count == 1:
        order = numpy.array([spans.argmax()])
    elif len(spans) <= count:
        order = numpy.argsort(-spans)
    else:
        best = numpy.argpartition(-spans, count)[:count]
        order = best[numpy.argsort(-spans[best])]
    for index in order.tolist():
        yield index // len(start), index % len(start), float(spans[index])


# ---- Zero-shot classification ---------------------------------------------------------------------------


@task("zero-shot-classification")
class ZeroShotClassification(EncoderTask):
    """How well each label fits a text, by a model of entailment: a row of work for each label."""

    auto_class = "AutoModelForSequenceClassification"
    truncation = "only_first"
    parameters: ClassVar = {
        "candidate_labels": {"anyOf": [{**TEXTS, "maxItems": 1000}, {**TEXT, "minLength": 1}]},
        "multi_label": {**FLAG, "default": False},
        "hypothesis_template": {**TEXT, "default": "This example is {}."},
    }
    aliases: ClassVar = {"sequence": "text", "sequences": "text", "candidateLabels": "candidate_labels",
                         "labels": "candidate_labels"}  # fmt: skip
    prediction: ClassVar = record({"sequence": TEXT, "labels": list_of(TEXT), "scores": list_of(SCORE)})
    example: ClassVar = {"text": "good movie", "candidate_labels": ["film", "food"]}

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        ids = [
            index for label, index in self.model.config.label2id.items() if label.lower().startswith("entail")
        ]
        if not ids:
            raise ValueError(
                f"no label of the model begins with 'entail': {', '.join(self.model.config.label2id)}; "
                "fix: package a model of natural language inference, or name its labels in config.json"
            )
        self.entailment = ids[0]
        self.contradiction = -1 if self.entailment == 0 else 0

    def read(self, instance: Any, parameters: Parameters) -> Query:
        """Read an instance; its labels become a list."""
        return with_labels(super().read(instance, parameters))

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a label."""
        return self.encode(queries, [
            [(query.fields["text"], query.parameters["hypothesis_template"].replace("{}", label))
             for label in query.parameters["candidate_labels"]]
            for query in queries
        ])  # fmt: skip

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The logits of contradiction and entailment, a row an item."""
        output, _ = self.forward(pack)
        rows: list[list[float]] = output.logits[:, [self.contradiction, self.entailment]].float().tolist()
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The labels, likeliest first: each against its contradiction, or all against each other."""
        labels = query.parameters["candidate_labels"]
        logits = torch.tensor(rows)
        alone = query.parameters["multi_label"] or len(labels) == 1
        scores = (logits.softmax(dim=1)[:, 1] if alone else logits[:, 1].softmax(dim=0)).tolist()
        order = sorted(range(len(labels)), key=lambda index: -scores[index])
        return {
            "sequence": query.fields["text"],
            "labels": [labels[index] for index in order],
            "scores": [scores[index] for index in order],
        }


def with_labels(query: Query) -> Query:
    """Make a list of the `candidate_labels`, which may come as one text with commas.

    Raises:
        Refused: There are none, or `hypothesis_template` has no place for them.
    """
    labels = query.parameters.get("candidate_labels")
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(",") if label.strip()]
    if not labels:
        raise Refused("candidate_labels is missing: a list of texts, or one text with commas")
    template = query.parameters["hypothesis_template"]
    if template.count("{}") != 1 or template.count("{") + template.count("}") != 2:
        raise Refused("hypothesis_template must have {} once, where the label goes, and no other brace")
    query.parameters = {**query.parameters, "candidate_labels": labels}
    return query


# ---- Fill-mask ------------------------------------------------------------------------------------------

FILLING: Schema = record({"score": SCORE, "token": {"type": "integer"}, "token_str": TEXT, "sequence": TEXT})


@task("fill-mask")
class FillMask(EncoderTask):
    """The likeliest tokens for each mask of a text."""

    auto_class = "AutoModelForMaskedLM"
    parameters: ClassVar = {
        "top_k": {**COUNT, "default": 5},
        "targets": {"anyOf": [TEXTS, {**TEXT, "minLength": 1}]},
    }
    prediction: ClassVar = {"anyOf": [list_of(FILLING), list_of(list_of(FILLING))]}

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.mask = self.tokenizer.mask_token_id
        if self.mask is None:
            raise ValueError("the tokenizer has no mask token; fix: package a masked language model")
        self.vocabulary = self.tokenizer.get_vocab()

    @property
    def example(self) -> str:  # type: ignore[override]
        """A text with this tokenizer's mask."""
        return f"a {self.tokenizer.mask_token} b"

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text; those with equal parameters share packs."""
        work = self.encode(queries, [[query.fields["text"]] for query in queries])
        for query, items in zip(queries, work, strict=True):
            for item in items:
                if self.mask not in item.inputs["input_ids"]:
                    query.failure = Refused(
                        f"the text has no mask, {self.tokenizer.mask_token}, in what the model reads"
                    )
                    continue
                try:
                    item.group = (query.parameters["top_k"], self._targets(query.parameters.get("targets")))
                except Refused as error:
                    query.failure = error
        return [[] if query.failure else items for query, items in zip(queries, work, strict=True)]

    def _targets(self, targets: Any) -> tuple[int, ...] | None:
        """Return the ids of target words; of one that isn't in the vocabulary, of its first token."""
        if targets is None:
            return None
        ids: dict[int, None] = {}
        for target in [targets] if isinstance(targets, str) else targets:
            known = self.vocabulary.get(target)
            pieces = [known] if known is not None else self.tokenizer.encode(target, add_special_tokens=False)
            ids.update(dict.fromkeys(pieces[:1]))
        if not ids:
            raise Refused("targets must have a word that the tokenizer knows")
        return tuple(ids)

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The best scores and tokens of each mask (two lists, masks x top_k), a row an item."""
        output, batch = self.forward(pack)
        top_k, targets = pack[0].group  # type: ignore[misc]
        rows, columns = (batch["input_ids"] == self.mask).nonzero(as_tuple=True)
        probabilities = output.logits[rows, columns].float().softmax(dim=-1)
        if targets is not None:
            chosen = torch.tensor(targets, device=probabilities.device)
            probabilities = probabilities[:, chosen]
        best = probabilities.topk(min(top_k, probabilities.shape[1]), dim=1)
        tokens = best.indices if targets is None else chosen[best.indices]
        results: list[tuple[list[Any], list[Any]]] = [([], []) for _ in pack]
        for row, scores, ids in zip(rows.tolist(), best.values.tolist(), tokens.tolist(), strict=True):
            results[row][0].append(scores)
            results[row][1].append(ids)
        return results

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """A list of fillings; of several masks, one list each."""
        ids = items[0].inputs["input_ids"]
        masks = [place for place, token in enumerate(ids) if token == self.mask]
        answers = []
        for place, scores, tokens in zip(masks, *rows[0], strict=True):
            answers.append([self._filling(ids, place, *best, len(masks) == 1)
                            for best in zip(scores, tokens, strict=True)])  # fmt: skip
        return answers[0] if len(answers) == 1 else answers

    def _filling(self, ids: list[Any], place: int, score: float, token: int, skip: bool) -> Fields:
        text = [*ids[:place], token, *ids[place + 1 :]]
        return {
            "score": score,
            "token": token,
            "token_str": self.tokenizer.decode([token]),
            "sequence": self.tokenizer.decode(
                [each for each in text if each != self.tokenizer.pad_token_id], skip_special_tokens=skip
            ),
        }


# ---- Feature extraction ---------------------------------------------------------------------------------


@task("feature-extraction")
class FeatureExtraction(EncoderTask):
    """The vector of every token (1 x tokens x size), as transformers' pipeline gives them."""

    auto_class = "AutoModel"
    may_miss = ("pooler.",)
    prediction: ClassVar = list_of(list_of(list_of(SCORE)))

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text."""
        return self.encode(queries, [[query.fields["text"]] for query in queries])

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Token vectors (tokens x size), a row an item."""
        output, _ = self.forward(pack)
        return self.pad.without(output[0].float().cpu().numpy(), pack)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One text, hence one list around its tokens'."""
        return [rows[0].tolist()]


# ---- Generation -----------------------------------------------------------------------------------------

WHOLE: Schema = {"type": "integer", "minimum": 0}
# Beyond these bounds scores are no numbers any more.
FACTOR: Schema = {"type": "number", "minimum": 0.0001, "maximum": 1000}
SHARE: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
# Those of `generate` that make sense for a server: none that names files, code or other models.
GENERATION: Mapping[str, Schema] = {
    "max_new_tokens": COUNT,
    "min_new_tokens": WHOLE,
    "max_length": COUNT,
    "min_length": WHOLE,
    "do_sample": FLAG,
    "temperature": FACTOR,
    "top_k": WHOLE,
    "top_p": SHARE,
    "min_p": SHARE,
    "typical_p": SHARE,
    "repetition_penalty": FACTOR,
    "no_repeat_ngram_size": WHOLE,
    "num_beams": {**COUNT, "maximum": 32},
    "num_return_sequences": {**COUNT, "maximum": 32},
    "length_penalty": {**NUMBER, "minimum": -10, "maximum": 10},  # an exponent: large ones overflow
    "early_stopping": FLAG,
    "seed": WHOLE,
    "stop": {
        "anyOf": [{**TEXT, "minLength": 1}, {**TEXTS, "items": {**TEXT, "minLength": 1}, "maxItems": 8}]
    },
    "clean_up_tokenization_spaces": FLAG,
    "truncation": FLAG,
}
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p")
# Of the parameters above, those that `generate` doesn't take itself.
NOT_FOR_GENERATE = {
    "seed", "stop", "clean_up_tokenization_spaces", "stream", "return_full_text", "continue_final_message",
    "skip_special_tokens", "src_lang", "tgt_lang", "truncation",
}  # fmt: skip
GENERATED: Schema = list_of(record({"generated_text": TEXT}))


@contextlib.contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """Draw from a generator of this seed, and leave everybody else's as it was."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


class GenerationTask(EncoderTask):
    """A task whose model writes text with `generate`.

    Attributes:
        defaults_of_pipeline: What the pipeline of this task generates with where nothing is sent.
        before_models_own: Whether that comes before the model's own `generation_config.json`, as it did in
            the pipelines that transformers 5 no longer has.
    """

    parameters: ClassVar = GENERATION
    aliases: ClassVar = {"max_tokens": "max_new_tokens", "stop_sequences": "stop", "stop_sequence": "stop"}
    example: ClassVar = {"inputs": "warm up", "parameters": {"max_new_tokens": 2}}
    defaults_of_pipeline: ClassVar[Mapping[str, Any]] = {"max_new_tokens": 256, "num_beams": 4}
    before_models_own: ClassVar[bool] = False
    budget = 8192  # tokens read and written, times beams
    shares_threads = False  # it writes for seconds, and the others' requests would come meanwhile

    def load(self) -> None:
        """Load the model, its tokenizer, and what it generates with."""
        super().load()
        self.positions: int | None = getattr(self.model.config, "max_position_embeddings", None)
        if self.model.generation_config.pad_token_id is None:
            self.model.generation_config.pad_token_id = self.tokenizer.pad_token_id

    def warm_up(self) -> None:
        """Answer the example: how much fits depends on what is generated, so there is nothing to measure."""
        Task.warm_up(self)

    # -- Parameters --

    def options(self, parameters: Parameters, prompt: int) -> Parameters:
        """Return what `generate` is called with: sent, else the model's own, else the pipeline's.

        Args:
            parameters: Checked.
            prompt: Tokens of the prompt.

        Raises:
            Refused: The combination makes no sense to `generate`.
        """
        sent = {key: value for key, value in parameters.items() if key not in NOT_FOR_GENERATE}
        own = self.model.generation_config.to_diff_dict()
        specific = self.task_options(parameters)
        known = {**own, **specific, **sent}
        before = specific | sent if self.before_models_own else known
        defaults = {
            key: value
            for key, value in self.defaults_of_pipeline.items()
            if key not in before and not (key == "max_new_tokens" and "max_length" in own | sent)
        }
        sampling = {**known, **defaults}.get("do_sample")
        chosen = {
            **{key: value for key, value in defaults.items() if sampling or key not in SAMPLING},
            **specific,
            **sent,
        }
        chosen = self.in_new_tokens(chosen, known, prompt)
        try:
            config = copy.deepcopy(self.model.generation_config)
            config.update(**chosen)
            config.validate(strict=False)
        except ValueError as error:
            raise Refused(f"these parameters don't go together: {str(error)[:200]}") from None
        return chosen

    def task_options(self, parameters: Parameters) -> Parameters:
        """Return what the model's config says of this task (`task_specific_params`)."""
        return {}

    def in_new_tokens(self, chosen: Parameters, known: Parameters, prompt: int) -> Parameters:
        """Return the options with lengths that mean the same for every row of a pack."""
        if "max_length" in chosen and "max_new_tokens" not in chosen:
            # The model's own max_new_tokens would win over the max_length that was sent.
            chosen = {**chosen, "max_new_tokens": max(1, chosen["max_length"] - 1)}
        chosen.pop("max_length", None)
        if self.positions and chosen.get("max_new_tokens", 0) >= self.positions:
            chosen["max_new_tokens"] = self.positions - 1
        new, least = chosen.get("max_new_tokens"), chosen.get("min_length", known.get("min_length"))
        if new and least and least > new + 1:  # `generate` would warn, and stop there
            chosen["min_length"] = new + 1
        return chosen

    # -- Work --

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Return the tokens that each query's generation starts from."""
        return self.encode(queries, [[query.fields[self.main]] for query in queries])

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a query; only equal parameters share a pack, and a seed has a pack of its own."""
        work = self.prompts(queries)
        for query, items in zip(queries, work, strict=True):
            try:
                for item in items:
                    self.plan(query, item)
            except Refused as error:
                query.failure = error
                items.clear()
        return work

    def plan(self, query: Query, item: Item) -> None:
        """Set an item's group and length.

        Raises:
            Refused: The parameters can't be used.
        """
        parameters = query.parameters
        prompt = len(item.inputs["input_ids"])
        options = self.options(parameters, prompt)
        stop = parameters.get("stop")
        stop = (stop,) if isinstance(stop, str) else tuple(stop or ())
        alone = id(query) if parameters.get("seed") is not None else None
        item.group = (tuple(sorted(options.items())), stop, parameters.get("seed"), alone)
        rows = max(options.get("num_beams") or 1, options.get("num_return_sequences") or 1)
        item.length = rows * (prompt + (options.get("max_new_tokens") or 0))

    def run(self, pack: list[Item], streamer: Any = None) -> list[list[list[int]]]:
        """Generate; returns the new tokens of each item's sequences."""
        options, stop, seed, _ = pack[0].group  # type: ignore[misc]
        batch = self.pad([item.inputs for item in pack], self.device)
        stopping = {"stop_strings": list(stop), "tokenizer": self.tokenizer} if stop else {}
        with seeded(seed, self.device):
            sequences = self.model.generate(**batch, **dict(options), **stopping, streamer=streamer)
        if not self.model.config.is_encoder_decoder:
            sequences = sequences[:, batch["input_ids"].shape[1] :]
        rows: list[list[list[int]]] = sequences.reshape(len(pack), -1, sequences.shape[-1]).tolist()
        return rows

    def written(self, query: Query, row: list[list[int]]) -> list[str]:
        """Return the texts of one item's sequences, without a stop string at the end."""
        parameters = query.parameters
        stop = parameters.get("stop") or ()
        texts = []
        for tokens in row:
            text = self.tokenizer.decode(
                tokens,
                skip_special_tokens=parameters.get("skip_special_tokens", True),
                clean_up_tokenization_spaces=parameters.get("clean_up_tokenization_spaces", self.clean_up),
            )
            texts.append(without_stop(text, (stop,) if isinstance(stop, str) else stop))
        return texts

    clean_up: ClassVar[bool | None] = False


def without_stop(text: str, stop: Sequence[str]) -> str:
    """Cut a text before the first stop string in it: the token that completed it may hold more."""
    found = [position for word in stop if (position := text.find(word)) >= 0]
    return text[: min(found)] if found else text


class SequenceToSequence(GenerationTask):
    """From one text to another; `task_specific_params` of the model's config count, as in the pipelines.

    Attributes:
        answer_name: The key of the text in the prediction.
    """

    auto_class = "AutoModelForSeq2SeqLM"
    before_models_own = True
    answer_name: ClassVar[str]

    def specific(self, parameters: Parameters) -> Parameters:
        """Return the model's `task_specific_params` for this task."""
        return self.specifics_of(self.name)

    def specifics_of(self, name: str) -> Parameters:
        """Return the model's `task_specific_params` of a name."""
        return dict((getattr(self.model.config, "task_specific_params", None) or {}).get(name) or {})

    def task_options(self, parameters: Parameters) -> Parameters:
        """Return what the model's config says of this task, but for the prefix."""
        return {key: value for key, value in self.specific(parameters).items() if key != "prefix"}

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Tokenize the texts, each behind the prefix the model was trained with."""
        prefix = getattr(self.model.config, "prefix", None) or ""
        texts = [
            [self.specific(query.parameters).get("prefix", prefix) + query.fields[self.main]]
            for query in queries
        ]
        work = self.encode(queries, texts)
        for items in work:
            for item in items:
                item.inputs = {"input_ids": item.inputs["input_ids"]}
        return work

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence."""
        return [{self.answer_name: text} for text in self.written(query, rows[0])]


@task("summarization")
class Summarization(SequenceToSequence):
    """A shorter text."""

    answer_name = "summary_text"
    prediction: ClassVar = list_of(record({"summary_text": TEXT}))


@task("text2text-generation")
class Text2TextGeneration(SequenceToSequence):
    """A text made of a text."""

    answer_name = "generated_text"
    prediction: ClassVar = GENERATED


@task("translation")
class Translation(SequenceToSequence):
    """A text in another language; the task may be named `translation_en_to_de` too."""

    answer_name = "translation_text"
    prediction: ClassVar = list_of(record({"translation_text": TEXT}))
    parameters: ClassVar = {**GENERATION, "src_lang": TEXT, "tgt_lang": TEXT}

    def load(self) -> None:
        """Load, and remember the languages that the task's name holds."""
        super().load()
        words = str(self.archive.settings["task"]).split("_")
        self.languages = (words[1], words[3]) if len(words) == 4 else (None, None)

    def pair(self, parameters: Parameters) -> tuple[Any, Any]:
        """Return the languages of one query: sent, else those of the task's name."""
        source, target = self.languages
        return parameters.get("src_lang", source), parameters.get("tgt_lang", target)

    def specific(self, parameters: Parameters) -> Parameters:
        """Return what the model's config says of the task's languages; of those sent, where it names none."""
        languages = self.languages if self.languages[0] else self.pair(parameters)
        return self.specifics_of("translation_{}_to_{}".format(*languages))

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Tokenize; a tokenizer of many languages is told which, and names the token to start with."""
        if not hasattr(self.tokenizer, "_build_translation_inputs"):
            return super().prompts(queries)
        return [self._prompt(query) for query in queries]

    def _prompt(self, query: Query) -> list[Item]:
        source, target = self.pair(query.parameters)
        source, target = source or self.tokenizer.src_lang, target or self.tokenizer.tgt_lang
        languages = self.tokenizer.extra_special_tokens
        for name, language in (("src_lang", source), ("tgt_lang", target)):
            if self.tokenizer.convert_tokens_to_ids(language or "") in {None, self.tokenizer.unk_token_id}:
                query.failure = Refused(
                    f"{name} {str(language)[:40]!r} is unknown; accepted: {', '.join(languages)[:400]}",
                    422,
                )
                return []
        inputs = self._tokenized(query, source, target)
        if len(inputs["input_ids"]) > self.limit:
            if not self.may_cut(query, len(inputs["input_ids"])):
                return []
            inputs = self._tokenized(query, source, target, truncation=True, max_length=self.limit)
        ids = list(inputs["input_ids"])
        return [Item({"input_ids": ids}, len(ids), int(inputs["forced_bos_token_id"]))]

    def _tokenized(self, query: Query, source: str, target: str, **cut: Any) -> Any:
        return self.tokenizer._build_translation_inputs(  # the pipeline's own way
            query.fields[self.main], return_tensors=None, src_lang=source, tgt_lang=target, **cut
        )

    def plan(self, query: Query, item: Item) -> None:
        """As for any generation, and start with the target's token."""
        forced = item.group
        super().plan(query, item)
        if forced is not None:
            options, *rest = item.group  # type: ignore[misc]
            item.group = ((*options, ("forced_bos_token_id", forced)), *rest)


MESSAGE: Schema = {
    "type": "object",
    "properties": {"role": TEXT, "content": {}},
    "required": ["role", "content"],
    "additionalProperties": True,
}
CONVERSATION: Schema = {"type": "array", "items": MESSAGE, "minItems": 1}


def is_conversation(value: Any) -> bool:
    """Whether a list is one conversation: messages with a role."""
    return bool(value) and all(isinstance(message, dict) and "role" in message for message in value)


@task("text-generation", "conversational", "chat-completion")
class TextGeneration(GenerationTask):
    """More of a text, or the next message of a conversation; in parts while it is written, if asked."""

    auto_class = "AutoModelForCausalLM"
    fields: ClassVar = {"text": {"anyOf": [TEXT, CONVERSATION]}}
    aliases: ClassVar = {**GenerationTask.aliases, "messages": "text", "prompt": "text"}
    parameters: ClassVar = {
        **GENERATION,
        "return_full_text": {**FLAG, "default": True},
        "continue_final_message": FLAG,
        "skip_special_tokens": {**FLAG, "default": True},
        "stream": {**FLAG, "default": False},
    }
    prediction: ClassVar = list_of(record({"generated_text": {"anyOf": [TEXT, CONVERSATION]}}))
    defaults_of_pipeline: ClassVar = {"max_new_tokens": 256, "do_sample": True, "temperature": 0.7}
    clean_up = None

    def load(self) -> None:
        """Load; what is padded ends with its last token, or the model would go on from padding."""
        super().load()
        self.tokenizer.padding_side = "left"

    def is_one(self, inputs: list[Any]) -> bool:
        """A list of messages is one conversation."""
        return is_conversation(inputs)

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Tokenize the texts in one call, conversations by the model's chat template."""
        texts = [query for query in queries if isinstance(query.fields["text"], str)]
        rows = iter(tokenize(self.tokenizer, [query.fields["text"] for query in texts]) if texts else [])
        work: list[list[Item]] = []
        for query in queries:
            try:
                plain = isinstance(query.fields["text"], str)
                ids = next(rows)["input_ids"] if plain else self.templated(query)
                ids = self.shortened(query, ids)
                work.append([Item({"input_ids": ids})] if ids else [])
            except Refused as error:
                query.failure = error
                work.append([])
        return work

    def templated(self, query: Query) -> list[int]:
        """Return the tokens of a conversation.

        Raises:
            Refused: The model has no chat template, or its template refuses the conversation.
        """
        if not self.tokenizer.chat_template:
            raise Refused("the model has no chat template, so it takes text, not messages", 422)
        continued = self.continues(query)
        try:
            encoded = self.tokenizer.apply_chat_template(
                query.fields["text"],
                add_generation_prompt=not continued,
                continue_final_message=continued,
                return_dict=True,
            )
        except Exception as error:
            # The template is the model's own code; what it raises says what it wants of a conversation.
            raise Refused(f"the chat template refuses the conversation: {str(error)[:200]}", 422) from None
        return list(encoded["input_ids"])

    @staticmethod
    def continues(query: Query) -> bool:
        """Whether the last message is to be continued rather than answered."""
        ends: bool = query.fields["text"][-1]["role"] == "assistant"
        return bool(query.parameters.get("continue_final_message", ends))

    def shortened(self, query: Query, ids: list[int]) -> list[int]:
        """Leave room for at least one new token: what is cut is the beginning; nothing where it may not be.

        Raises:
            Refused: There is no token to start from.
        """
        if not ids:
            if self.tokenizer.bos_token_id is None:
                raise Refused("the text is empty, and the model has no token to begin a text with", 422)
            return [self.tokenizer.bos_token_id]
        if len(ids) < self.limit:
            return ids
        if not self.may_cut(query, len(ids)):
            return []
        wanted = query.parameters.get("max_new_tokens") or self.limit // 2
        return ids[-max(1, self.limit - wanted) :]

    def in_new_tokens(self, chosen: Parameters, known: Parameters, prompt: int) -> Parameters:
        """Lengths count the prompt, which is padded in a pack: say them as new tokens, as many as fit."""
        chosen = dict(chosen)
        most = chosen.pop("max_length", None) or known.get("max_length")
        least = chosen.pop("min_length", None) or known.get("min_length")
        if most and "max_new_tokens" not in chosen and "max_new_tokens" not in known:
            chosen["max_new_tokens"] = max(1, most - prompt)
        if least and "min_new_tokens" not in chosen:
            chosen["min_new_tokens"] = max(0, least - prompt)
        new = chosen.get("max_new_tokens", known.get("max_new_tokens"))
        if self.positions and new:
            chosen["max_new_tokens"] = max(1, min(new, self.limit - prompt))
        return chosen

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence: the text or the conversation, with what was written."""
        given = query.fields["text"]
        records = []
        for text in self.written(query, rows[0]):
            whole: Any = text
            if query.parameters["return_full_text"]:
                if isinstance(given, str):
                    whole = given + text
                elif self.continues(query):
                    whole = [*given[:-1], {**given[-1], "content": given[-1]["content"] + text}]
                else:
                    whole = [*given, {"role": "assistant", "content": text}]
            records.append({"generated_text": whole})
        return records

    # -- Streaming --

    def answer(self, queries: Sequence[Query], context: Any = None) -> None:
        """Answer those that stream one by one, the rest together."""
        super().answer([query for query in queries if not query.parameters["stream"]], context)
        requests = [query.request for query in queries]
        for query in queries:
            if query.parameters["stream"]:
                try:
                    self.stream(query, context, requests.count(query.request))
                except Exception as error:
                    query.failure = error

    def stream(self, query: Query, context: Any, instances: int) -> None:
        """Send `{"text": ...}` and a line feed for each part; the whole answer follows as ever.

        Raises:
            Refused: It can't be streamed.
        """
        if query.request is None or getattr(context, "cl_socket", None) is None:
            raise Refused("stream: this service envelope doesn't tell whose answer a part is of")
        if instances > 1:
            raise Refused("stream takes one instance a request")
        (items,) = self.split([query])
        if query.failure is not None:
            return
        options = dict(items[0].group[0])  # type: ignore[index]
        if (options.get("num_beams") or 1) > 1 or (options.get("num_return_sequences") or 1) > 1:
            raise Refused("stream takes num_beams and num_return_sequences of 1")
        with torch.inference_mode():
            row = self.run(items, Parts(self.tokenizer, query, context))[0]
        query.prediction = self.finish(query, items, [row])


class Parts:
    """What `generate` calls with each new token: sends the text as far as it is certain.

    Args:
        tokenizer: Decodes.
        query: Whose text it is.
        context: TorchServe's.
    """

    def __init__(self, tokenizer: Any, query: Query, context: Any) -> None:
        from ts.handler_utils.utils import send_intermediate_predict_response

        self._send = send_intermediate_predict_response
        self._tokenizer, self._query, self._context = tokenizer, query, context
        stop = query.parameters.get("stop") or ()
        self._stop = (stop,) if isinstance(stop, str) else tuple(stop)
        self._tokens: list[int] = []
        self._sent = 0
        self._prompt = True

    def put(self, tokens: torch.Tensor) -> None:
        """Take in the prompt, then one token at a time."""
        if self._prompt:
            self._prompt = False
            return
        self._tokens += tokens.flatten().tolist()
        text = self._text()
        # A character may take several tokens, a stop string several parts: what may still change waits.
        if not text.endswith("\N{REPLACEMENT CHARACTER}"):
            held = max((len(word) - 1 for word in self._stop), default=0)
            self._send_until(text, len(text) - held)

    def end(self) -> None:
        """Send the rest."""
        text = self._text()
        self._send_until(text, len(text))

    def _text(self) -> str:
        skip = self._query.parameters["skip_special_tokens"]
        return without_stop(self._tokenizer.decode(self._tokens, skip_special_tokens=skip), self._stop)

    def _send_until(self, text: str, end: int) -> None:
        if end <= self._sent:
            return
        index = self._query.request
        part = json.dumps({"text": text[self._sent : end]}) + "\n"
        self._sent = end
        self._context.set_response_content_type(index, "application/x-ndjson")
        requests = {index: self._context.request_ids[index]}
        self._send({index: part}, requests, "Intermediate Prediction success", 200, self._context)


# ---- Images ---------------------------------------------------------------------------------------------

# What else may stand for a file: base64 by itself, a data: URL, or the https URL of an allowed host.
PICTURE: Schema = {"anyOf": [MEDIA, {"type": "string"}]}
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# A picture drawn out longer than this becomes gigabytes when its short side is scaled to what a model takes.
LONGEST_TO_SHORTEST = 100
PATCH = 16  # pixels; a 224 x 224 picture counts as 196
# Grey, 32 x 32: answered at load.
GREY = {
    "b64": "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAGElEQVR42mNsYMAPmBhGFYwqGFUwQhUAAJe+AMD8"
    "WknZAAAAAElFTkSuQmCC"
}
FETCHED_BYTES = 2**26
FETCH_SECONDS = 10.0


def from_base64(text: str) -> bytes:
    """Decode base64, line breaks and all.

    Raises:
        Refused: It is something else.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise Refused("b64 is not valid base64") from None


def from_text(text: str, hosts: Sequence[str]) -> bytes:
    """Return the file a text stands for: base64, a `data:` URL, or an https URL. Never a path.

    Raises:
        Refused: It is none of them, or a URL whose host is not one of `hosts`.
    """
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            raise Refused("a data: URL must hold base64")
    elif "://" in text[:12]:
        return fetch(text, hosts)
    return from_base64(text)


def fetch(url: str, hosts: Sequence[str]) -> bytes:
    """Fetch a file; each redirect has to lead to one of `hosts` too.

    Raises:
        Refused: The URL is not allowed, or nothing usable came in time.
    """
    from urllib.parse import urljoin, urlsplit, urlunsplit

    deadline = time.monotonic() + FETCH_SECONDS
    for _ in range(4):
        try:
            parts = urlsplit(url)
            usual = parts.scheme == "https" and parts.port in {None, 443} and parts.username is None
        except ValueError:
            raise Refused("the URL can't be read") from None
        if not usual or parts.hostname not in hosts:
            raise Refused(
                "a file is fetched only by an https URL whose host handler.allowed_media_hosts names; "
                'send it as {"b64": "..."}'
            )
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        found = download(public_address(parts.hostname), 443, parts.hostname, target, None, deadline)
        if isinstance(found, bytes):
            return found
        url = urljoin(url, found)
    raise Refused("the URL redirects too often", 422)


def public_address(host: str) -> str:
    """Look a host up; all of its addresses must be public, or it could be made to name a machine inside.

    Raises:
        Refused: They aren't, or there are none.
    """
    import ipaddress
    import socket

    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused("the URL's host is unknown", 422) from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not all(address.is_global and not address.is_multicast for address in addresses):
        raise Refused("the URL's host has a private address", 422)
    return str(addresses[0])


def download(address: str, port: int, host: str, target: str, tls: Any, deadline: float) -> bytes | str:
    """Return the body found at `address`, which has to prove that it is `host`; or where it redirects to.

    Args:
        address: Looked up and checked before: a second lookup could give another.
        port: Of the server.
        host: Of the URL.
        target: Path and query of the URL.
        tls: An `ssl.SSLContext`; None for one that trusts the usual authorities.
        deadline: Of the monotonic clock.

    Raises:
        Refused: Nothing usable came in time, or too much.
    """
    import http.client
    import socket
    import ssl

    try:
        wire = socket.create_connection((address, port), timeout=max(0.1, deadline - time.monotonic()))
        with contextlib.closing(http.client.HTTPConnection(host, port)) as connection:
            connection.sock = wire  # closed with the connection, even if the handshake fails
            connection.sock = (tls or ssl.create_default_context()).wrap_socket(wire, server_hostname=host)
            connection.request("GET", target, headers={"Accept-Encoding": "identity"})
            response = connection.getresponse()
            if response.status in {301, 302, 303, 307, 308}:
                return response.getheader("location") or ""
            if response.status != HTTPStatus.OK:
                raise Refused(f"the URL's host answered {response.status}", 422)
            body = bytearray()
            while part := response.read1(2**16):
                body += part
                if len(body) > FETCHED_BYTES:
                    raise Refused(f"the URL holds more than {FETCHED_BYTES} bytes", 413)
                if time.monotonic() > deadline:
                    raise Refused("the URL's host is too slow", 422)
            return bytes(body)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise Refused(f"the URL can't be fetched ({type(error).__name__})", 422) from None


class Pictures:
    """Opens pictures the way transformers' pipelines do: first frame, upright, RGB.

    Args:
        archive: Its settings say how many pixels are too many.

    Raises:
        ValueError: Pillow is not installed.
    """

    def __init__(self, archive: Archive) -> None:
        self.image = need("PIL.Image", "a task with images")
        self.upright = need("PIL.ImageOps", "a task with images").exif_transpose
        self.most: int = archive.settings["max_image_pixels"]

    def open(self, content: bytes) -> Any:
        """Decode a file.

        Raises:
            Refused: No picture of a known format (415), too large (413), or damaged (422).
        """
        import io
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of large pictures: those are measured here
            try:
                picture = self.image.open(io.BytesIO(content), formats=PICTURE_FORMATS)
            except self.image.DecompressionBombError:
                raise Refused(f"the image has more than {self.most} pixels", 413) from None
            except Exception:  # each format's plugin has errors of its own
                raise Refused(f"expected an image as {', '.join(PICTURE_FORMATS)}", 415) from None
            self._measure(*picture.size)
            try:
                return self.upright(picture).convert("RGB")
            except Exception:
                raise Refused("the image is damaged or cut short", 422) from None

    def _measure(self, width: int, height: int) -> None:
        if width * height > self.most:
            raise Refused(f"the image has {width} x {height} pixels, more than {self.most}", 413)
        if max(width, height) > LONGEST_TO_SHORTEST * min(width, height):
            raise Refused(
                f"the image has {width} x {height} pixels, more than {LONGEST_TO_SHORTEST} to 1", 422
            )


def each(queries: Sequence[Query], make: Callable[[Query], list[Item]]) -> list[list[Item]]:
    """Make the items of each query; one that can't be made is refused.

    What a processor raises for a file that could be opened is the file's fault: the example passed at load.
    """
    work: list[list[Item]] = []
    for query in queries:
        try:
            work.append(make(query))
        except Refused as error:
            query.failure = error
            work.append([])
        except Exception as error:
            log_failure(error)
            query.failure = Refused("the model's processor can't use it: does its size or shape fit?", 422)
            work.append([])
    return work


TOKEN_INPUTS = {"input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "bbox"}


def tensors_of(inputs: Mapping[str, Any], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the tensors in what a processor gave (a batch of one), floats as the model's."""
    return {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor)
    }


def shapes_of(inputs: Mapping[str, torch.Tensor], padded: bool) -> Hashable:
    """Return what must be equal to run together: every shape, but the count of tokens where it's padded."""
    return tuple(
        (name, tuple(value.shape[2:] if padded and name in TOKEN_INPUTS else value.shape))
        for name, value in sorted(inputs.items())
    )


def together(
    several: Sequence[Mapping[str, torch.Tensor]], device: torch.device, pad: int = 0, left: bool = False
) -> dict[str, torch.Tensor]:
    """Join inputs (1 x ...) to a batch; tokens are padded to the longest.

    Args:
        several: Of equal `shapes_of`.
        device: Where the batch goes.
        pad: The token to pad with.
        left: Whether padding comes first.
    """
    batch = {}
    for name in several[0]:
        values = [inputs[name] for inputs in several]
        if name in TOKEN_INPUTS:
            longest = max(value.shape[1] for value in values)
            values = [_padded(value, longest, pad if name == "input_ids" else 0, left) for value in values]
        batch[name] = torch.cat(values).to(device)
    return batch


def _padded(value: torch.Tensor, length: int, filling: int, left: bool) -> torch.Tensor:
    missing = length - value.shape[1]
    if not missing:
        return value
    filler = value.new_full((value.shape[0], missing, *value.shape[2:]), filling)
    return torch.cat([filler, value] if left else [value, filler], dim=1)


def separated(output: Any, count: int) -> list[Any]:
    """Return what a model gave for a batch as outputs for one row each, on the CPU."""
    named = {
        name: value.float().cpu() if value.is_floating_point() else value.cpu()
        for name, value in output.items()
        if isinstance(value, torch.Tensor) and "hidden" not in name
    }
    if count == 1:
        return [SimpleNamespace(**named)]
    return [
        SimpleNamespace(
            **{name: value[row : row + 1] for name, value in named.items() if value.shape[:1] == (count,)}
        )
        for row in range(count)
    ]


class ImageTask(Task):
    """A task that asks a model about one picture; only those of one size run together.

    Attributes:
        auto_class: Name of the `AutoModel*` class.
    """

    fields: ClassVar = {"image": PICTURE}
    media: ClassVar = ("image",)
    aliases: ClassVar = {"images": "image"}
    example: ClassVar[Any] = GREY
    budget = 2048  # patches
    auto_class: ClassVar[str]

    def __init__(self, archive: Archive) -> None:
        self.pictures = Pictures(archive)
        super().__init__(archive)
        if archive.device.type == "cuda" and not archive.settings["max_batch_tokens"]:
            self.budget *= 16
        self.model = archive.model(getattr(transformers, self.model_class()))
        self.processor = archive.processor(transformers.AutoImageProcessor)
        self.labels = NamedLabels(self.model.config.id2label)
        if archive.settings["device_map"]:
            self.device = self.model.device

    def model_class(self) -> str:
        """Return the name of the `AutoModel*` class that loads this model."""
        return self.auto_class

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a picture."""
        return each(queries, self.item)

    def item(self, query: Query) -> list[Item]:
        """Return the work of one query.

        Raises:
            Refused: It can't be used.
        """
        picture = self.pictures.open(query.fields["image"])
        inputs = tensors_of(self.processor(images=[picture], return_tensors="pt"), self.model.dtype)
        pixels = inputs["pixel_values"]
        shape = shapes_of(inputs, padded=False) if len(pixels) == 1 else object()  # cut in parts: alone
        length = max(1, pixels.numel() // (pixels.shape[-3] * PATCH**2))
        return [Item(inputs, length, shape, (picture.height, picture.width))]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The model's output, one row an item."""
        batch = together([item.inputs for item in pack], self.device)
        return separated(self.model(**batch), len(pack))


class NamedLabels(dict[int, str]):
    """Labels by their index; one without a name is called as transformers calls it."""

    def __missing__(self, index: int) -> str:
        return f"LABEL_{index}"


@task("image-classification")
class ImageClassification(ImageTask):
    """The `top_k` best labels of a picture."""

    auto_class = "AutoModelForImageClassification"
    parameters: ClassVar = {
        "top_k": {**ALL_OR_COUNT, "default": 5},
        "function_to_apply": {**FUNCTION, "default": "default"},
    }
    prediction: ClassVar = list_of(LABEL)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Labels and scores, best first."""
        function = query.parameters["function_to_apply"]
        function = label_function(self.model.config) if function == "default" else function
        scores = scores_of(rows[0].logits[0], function).tolist()
        return ranked_labels(self.labels, scores, query.parameters["top_k"])


@task("zero-shot-image-classification")
class ZeroShotImageClassification(ImageTask):
    """How well each of the `candidate_labels` fits a picture."""

    auto_class = "AutoModelForZeroShotImageClassification"
    parameters: ClassVar = {
        "candidate_labels": {"anyOf": [{**TEXTS, "maxItems": 1000}, {**TEXT, "minLength": 1}]},
        "hypothesis_template": {**TEXT, "default": "This is a photo of {}."},
    }
    aliases: ClassVar = {
        **ImageTask.aliases,
        "candidateLabels": "candidate_labels",
        "labels": "candidate_labels",
    }
    prediction: ClassVar = list_of(LABEL)
    example: ClassVar = {"image": GREY, "candidate_labels": ["film", "food"]}

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.tokenizer = archive.processor(transformers.AutoTokenizer)
        texts = getattr(self.model.config, "text_config", self.model.config)
        self.limit = min(
            getattr(texts, "max_position_embeddings", None) or self.tokenizer.model_max_length,
            self.tokenizer.model_max_length,
        )
        self.is_siglip = "siglip" in self.model.config.model_type

    def read(self, instance: Any, parameters: Parameters) -> Query:
        """Read an instance; its labels become a list."""
        return with_labels(super().read(instance, parameters))

    def item(self, query: Query) -> list[Item]:
        """Pictures asked about the same labels share a pack."""
        template = query.parameters["hypothesis_template"]
        texts = tuple(template.replace("{}", label) for label in query.parameters["candidate_labels"])
        # Siglip was trained with texts of this length, cut or padded.
        fixed = {"padding": "max_length", "max_length": 64, "truncation": True} if self.is_siglip else {}
        tokens = self.tokenizer(list(texts), return_tensors="pt", **{"padding": True, **fixed})
        if tokens["input_ids"].shape[1] > self.limit:
            raise Refused(f"a candidate label has more than the {self.limit} tokens the model takes", 422)
        (item,) = super().item(query)
        item.group = (item.group, texts)
        item.inputs = (item.inputs, dict(tokens))
        return [item]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Logits of the labels, a row an item."""
        batch = together([item.inputs[0] for item in pack], self.device)
        texts = {name: value.to(self.device) for name, value in pack[0].inputs[1].items()}
        return self.model(**texts, **batch).logits_per_image.float().cpu()  # type: ignore[no-any-return]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The labels, best first."""
        scores = scores_of(rows[0], "sigmoid" if self.is_siglip else "softmax").tolist()
        return ranked_labels(dict(enumerate(query.parameters["candidate_labels"])), scores, None)


BOX: Schema = record({edge: {"type": "integer"} for edge in ("xmin", "ymin", "xmax", "ymax")})


@task("object-detection")
class ObjectDetection(ImageTask):
    """What is where in a picture, as far as the model is surer than `threshold`; boxes in pixels."""

    auto_class = "AutoModelForObjectDetection"
    parameters: ClassVar = {"threshold": {**NUMBER, "minimum": 0, "maximum": 1, "default": 0.5}}
    prediction: ClassVar = list_of(record({"score": SCORE, "label": TEXT, "box": BOX}))

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record an object."""
        (found,) = self.processor.post_process_object_detection(
            rows[0], query.parameters["threshold"], torch.tensor([items[0].source])
        )
        columns = (found["scores"].tolist(), found["labels"].tolist(), found["boxes"].int().tolist())
        return [
            {
                "score": score,
                "label": self.labels[label],
                "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)),
            }
            for score, label, box in zip(*columns, strict=True)
        ]


FRACTION: Schema = {**NUMBER, "minimum": 0, "maximum": 1}


@task("image-segmentation")
class ImageSegmentation(ImageTask):
    """The regions of a picture: each a mask as large as the picture, a PNG of black and white."""

    parameters: ClassVar = {
        "subtask": {"type": "string", "enum": ["panoptic", "instance", "semantic"]},
        "threshold": {**FRACTION, "default": 0.9},
        "mask_threshold": {**FRACTION, "default": 0.5},
        "overlap_mask_area_threshold": {**FRACTION, "default": 0.5},
    }
    prediction: ClassVar = list_of(
        record({"score": {"anyOf": [SCORE, {"type": "null"}]}, "label": TEXT, "mask": TEXT})
    )
    # Every label, or region, is scaled to the picture's size before one is chosen: 4 GiB of floats.
    values: ClassVar[int] = 2**30

    def model_class(self) -> str:
        """Return the kind of segmentation that transformers has this model for."""
        kinds = [f"AutoModelFor{kind}Segmentation" for kind in ("Semantic", "Universal", "Instance")]
        config = type(self.archive.config())
        return next(
            (kind for kind in kinds if config in getattr(transformers, kind)._model_mapping), kinds[0]
        )

    def item(self, query: Query) -> list[Item]:
        """As for any picture, if its answer fits the memory."""
        (item,) = super().item(query)
        height, width = item.source
        config = self.model.config
        layers = max(config.num_labels, getattr(config, "num_queries", None) or 1)
        if height * width * layers > self.values:
            raise Refused(
                f"the image has {width} x {height} pixels, the model chooses from {layers} regions for each: "
                f"send one of at most {self.values // layers} pixels", 413,
            )  # fmt: skip
        return [item]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a region."""
        wanted, sizes = query.parameters.get("subtask"), [items[0].source]
        for subtask in ("panoptic", "instance"):
            method = getattr(self.processor, f"post_process_{subtask}_segmentation", None)
            if method is not None and wanted in {None, subtask}:
                (found,) = method(
                    rows[0],
                    **{name: query.parameters[name] for name in list(self.parameters)[1:]},
                    target_sizes=sizes,
                )
                return [
                    self._region(part["score"], part["label_id"], found["segmentation"] == part["id"])
                    for part in found["segments_info"]
                ]
        method = getattr(self.processor, "post_process_semantic_segmentation", None)
        if method is None or wanted not in {None, "semantic"}:
            raise Refused(f"subtask {wanted} is not what this model does", 422)
        (found,) = method(rows[0], target_sizes=sizes)
        return [self._region(None, label, found == label) for label in found.unique().tolist()]

    def _region(self, score: float | None, label: int, mask: torch.Tensor) -> Fields:
        import io

        stream = io.BytesIO()
        self.pictures.image.fromarray(mask.numpy().astype(numpy.uint8) * 255).save(stream, "PNG")
        encoded = base64.b64encode(stream.getvalue()).decode()
        return {"score": score, "label": self.labels[label], "mask": encoded}


class PictureToText(GenerationTask):
    """A task whose model writes about pictures.

    An item's `inputs` are its prompt's tokens, its `source` all the tensors. Prompts are padded only where
    the tokenizer pads on the left, as those of decoders do; others share a pack when they are equally long.
    """

    media: ClassVar = ("image",)
    fields: ClassVar = {"image": PICTURE}
    aliases: ClassVar = {**GenerationTask.aliases, "images": "image"}
    example: ClassVar[Any] = {"image": GREY, "parameters": {"max_new_tokens": 2}}
    defaults_of_pipeline: ClassVar = {"max_new_tokens": 256}

    def load(self) -> None:
        """Load the model, its tokenizer and what prepares pictures."""
        self.pictures = Pictures(self.archive)
        self.model = self.archive.model(getattr(transformers, self.auto_class))
        if hasattr(self.model, "text_decoder"):  # BLIP's decoder generates by a config of its own, never read
            self.model.text_decoder.generation_config = self.model.generation_config
        self.load_processor()
        texts = self.model.config.get_text_config(decoder=True)
        self.positions = getattr(texts, "max_position_embeddings", None)
        limits = (self.archive.settings["max_length"], self.positions, self.tokenizer.model_max_length)
        self.tokenizer.model_max_length = min(limit for limit in limits if limit)
        if self.model.can_generate() and self.model.generation_config.pad_token_id is None:
            self.model.generation_config.pad_token_id = self.tokenizer.pad_token_id

    def load_processor(self) -> None:
        """Set `tokenizer` and `processor`."""
        self.tokenizer = self.archive.processor(transformers.AutoTokenizer)
        self.processor = self.archive.processor(transformers.AutoImageProcessor)

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Prepare pictures and texts; one item a query."""
        return each(queries, self.prompt)

    def prompt(self, query: Query) -> list[Item]:
        """Prepare one query."""
        raise NotImplementedError

    def prepared(self, inputs: Mapping[str, Any]) -> Item:
        """Return an item of what a processor gave.

        Raises:
            Refused: It is longer than the model takes.
        """
        tensors = tensors_of(inputs, self.model.dtype)
        ids = tensors["input_ids"][0].tolist() if "input_ids" in tensors else []
        if len(ids) > self.limit:
            raise Refused(f"text and images have {len(ids)} tokens, the model takes {self.limit}", 422)
        return Item({"input_ids": ids}, len(ids), source=tensors)

    def plan(self, query: Query, item: Item) -> None:
        """As for any generation; shapes have to be equal too."""
        super().plan(query, item)
        left = self.tokenizer.padding_side == "left"
        item.group = (*item.group, shapes_of(item.source, left))  # type: ignore[misc]

    def run(self, pack: list[Item], streamer: Any = None) -> list[list[list[int]]]:
        """Generate; returns each item's sequences, with the prompt where the model repeats it."""
        options, stop, seed, *_ = pack[0].group  # type: ignore[misc]
        pad = self.tokenizer.pad_token_id or 0
        batch = together([item.source for item in pack], self.device, pad, left=True)
        stopping = {"stop_strings": list(stop), "tokenizer": self.tokenizer} if stop else {}
        with seeded(seed, self.device):
            sequences = self.model.generate(**batch, **dict(options), **stopping)
        rows: list[list[list[int]]] = sequences.reshape(len(pack), -1, sequences.shape[-1]).tolist()
        if "input_ids" not in batch:
            return rows
        width = batch["input_ids"].shape[1]
        for index, item in enumerate(pack):
            padding = width - len(item.inputs["input_ids"])
            rows[index] = [row[padding:] for row in rows[index]] if padding else rows[index]
        return rows


@task("image-to-text")
class ImageToText(PictureToText):
    """A description of a picture."""

    auto_class = "AutoModelForImageTextToText"
    prediction: ClassVar = GENERATED

    def prompt(self, query: Query) -> list[Item]:
        """The picture alone."""
        picture = self.pictures.open(query.fields["image"])
        return [self.prepared(self.processor(images=picture, return_tensors="pt"))]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence."""
        return [{"generated_text": text} for text in self.written(query, rows[0])]


@task("visual-question-answering", "vqa")
class VisualQuestionAnswering(PictureToText):
    """The answer to a question about a picture: the `top_k` best of those a model knows, or written."""

    auto_class = "AutoModelForVisualQuestionAnswering"
    fields: ClassVar = {"image": PICTURE, "question": TEXT}
    required: ClassVar = ("image", "question")
    parameters: ClassVar = {**GENERATION, "top_k": {**COUNT, "default": 5}}
    aliases: ClassVar = {**PictureToText.aliases, "text": "question"}
    prediction: ClassVar = {
        "anyOf": [list_of(record({"score": SCORE, "answer": TEXT})), list_of(record({"answer": TEXT}))]
    }
    example: ClassVar = {"image": GREY, "question": "what?", "parameters": {"max_new_tokens": 2}}

    def load(self) -> None:
        """Load, and see what kind of model it is."""
        super().load()
        self.writes = self.model.can_generate()
        self.labels = NamedLabels(self.model.config.id2label)

    def prompt(self, query: Query) -> list[Item]:
        """The question's tokens and the picture."""
        picture = self.pictures.open(query.fields["image"])
        tokens = self.tokenizer(query.fields["question"], return_tensors="pt")
        return [self.prepared({**tokens, **self.processor(images=picture, return_tensors="pt")})]

    def plan(self, query: Query, item: Item) -> None:
        """Here `top_k` is how many answers, not how to sample."""
        if self.writes:
            wanted = {key: value for key, value in query.parameters.items() if key != "top_k"}
            super().plan(Query(query.fields, wanted), item)
        else:
            item.group = shapes_of(item.source, padded=True)

    def run(self, pack: list[Item], streamer: Any = None) -> list[Any]:
        """Sequences, or the logits of the answers, a row an item."""
        if self.writes:
            return super().run(pack)
        batch = together([item.source for item in pack], self.device, self.tokenizer.pad_token_id or 0)
        return list(self.model(**batch).logits.float().cpu())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record an answer."""
        if self.writes:
            return [{"answer": text.strip()} for text in self.written(query, rows[0])]
        ranked = ranked_labels(self.labels, rows[0].sigmoid().tolist(), query.parameters["top_k"])
        return [{"score": one["score"], "answer": one["label"]} for one in ranked]


@task("image-text-to-text")
class ImageTextToText(PictureToText):
    """What a model writes to a text about pictures, or the next message of a conversation with pictures."""

    auto_class = "AutoModelForImageTextToText"
    fields: ClassVar = {
        "text": {"anyOf": [TEXT, CONVERSATION]},
        "image": {"anyOf": [PICTURE, {**list_of(PICTURE), "minItems": 1}]},
    }
    aliases: ClassVar = {**PictureToText.aliases, "messages": "text", "prompt": "text"}
    parameters: ClassVar = {
        **GENERATION,
        "return_full_text": {**FLAG, "default": True},
        "continue_final_message": FLAG,
        "skip_special_tokens": {**FLAG, "default": True},
    }
    prediction: ClassVar = list_of(
        record(
            {"input_text": {"anyOf": [TEXT, CONVERSATION]}, "generated_text": {"anyOf": [TEXT, CONVERSATION]}}
        )
    )
    example: ClassVar = {"text": "warm up", "parameters": {"max_new_tokens": 2}}
    in_new_tokens = TextGeneration.in_new_tokens
    continues = staticmethod(TextGeneration.continues)

    def load_processor(self) -> None:
        """One processor for both."""
        self.processor = self.archive.processor(transformers.AutoProcessor)
        self.tokenizer = self.processor.tokenizer

    def is_one(self, inputs: list[Any]) -> bool:
        """A list of messages is one conversation."""
        return is_conversation(inputs)

    def open_media(self, value: Any) -> Any:
        """Return the bytes of a file, or of several."""
        if isinstance(value, list) and value:
            return [super(ImageTextToText, self).open_media(one) for one in value]
        return super().open_media(value)

    def warm_up(self) -> None:
        """Answer a text with a picture where the model marks its place, else one without."""
        mark = getattr(self.processor, "image_token", None)
        if isinstance(mark, str):
            self.example = {**type(self).example, "text": f"{mark} warm up", "image": GREY}  # type: ignore[misc]
        super().warm_up()

    def prompt(self, query: Query) -> list[Item]:
        """Prepare a text and its pictures, or a conversation by the model's chat template."""
        text, files = query.fields["text"], query.fields.get("image")
        if isinstance(text, str):
            several = files if isinstance(files, list) else [files] if files else []
            pictures = [self.pictures.open(one) for one in several] or None
            inputs = self._processed(lambda: self.processor(images=pictures, text=text, return_tensors="pt"))
            return [self.prepared(inputs)]
        if files:
            raise Refused("in a conversation images are parts of a message's content, not a field beside it")
        if getattr(self.processor, "chat_template", None) is None:
            raise Refused("the model has no chat template, so it takes text and images, not messages", 422)
        continued = self.continues(query)
        opened = [{"role": message["role"], "content": self._opened(message["content"])} for message in text]
        inputs = self._processed(
            lambda: self.processor.apply_chat_template(
                opened,
                add_generation_prompt=not continued,
                continue_final_message=continued,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        )
        query.fields["text"] = [
            {"role": message["role"], "content": without_files(message["content"])} for message in text
        ]
        return [self.prepared(inputs)]

    def _processed(self, process: Callable[[], Any]) -> Any:
        """Return what the processor makes of text and pictures.

        Raises:
            Refused: It can't match them, or there is nothing in them to begin with.
        """
        try:
            inputs = process()
        except Exception as error:
            # Its words quote counts and its own marks, and templates say what they want of a conversation.
            raise Refused(f"text and images don't fit the model: {str(error)[:200]}", 422) from None
        if inputs["input_ids"].shape[-1] == 0:
            raise Refused("the text is empty", 422)
        return inputs

    def _opened(self, content: Any) -> Any:
        """Return a message's content with pictures in place of files.

        It is made anew of what is known: transformers would open any path or URL it finds in a part.
        """
        if isinstance(content, str):
            return [{"type": "text", "text": content}]
        parts: list[Fields] = []
        for part in check(content, {"type": "array", "items": {"type": "object"}}, "content"):
            if part.get("type") == "text":
                parts.append({"type": "text", "text": check(part.get("text"), TEXT, "text")})
            elif part.get("type") in {"image", "image_url"}:
                file = next(
                    (part[key] for key in ("image", "url", "image_url", "base64") if key in part), None
                )
                if isinstance(file, dict) and "url" in file:  # as OpenAI writes it
                    file = file["url"]
                picture = self.pictures.open(super().open_media(file))
                parts.append({"type": "image", "image": picture})
            else:
                raise Refused("a part of a message's content must have the type text or image")
        return parts

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence: the text or the conversation, with what was written."""
        given, stop = query.fields["text"], query.parameters.get("stop") or ()
        skip = query.parameters["skip_special_tokens"]
        decode = self.processor.post_process_image_text_to_text
        (prompt,) = decode([items[0].inputs["input_ids"]], skip_special_tokens=skip)
        records = []
        for text in decode(rows[0], skip_special_tokens=skip):
            start = text.find(prompt)
            new = text[start + len(prompt) :] if 0 <= start <= 2 else text
            new = without_stop(new, (stop,) if isinstance(stop, str) else stop)
            records.append({"input_text": given, "generated_text": self._whole(query, new)})
        return records

    def _whole(self, query: Query, new: str) -> Any:
        given = query.fields["text"]
        if not query.parameters["return_full_text"]:
            return new
        if isinstance(given, str):
            return given + new
        if not self.continues(query):
            return [*given, {"role": "assistant", "content": new}]
        last = given[-1]["content"]
        if isinstance(last, str):
            return [*given[:-1], {**given[-1], "content": last + new}]
        return [
            *given[:-1],
            {**given[-1], "content": [*last[:-1], {**last[-1], "text": last[-1]["text"] + new}]},
        ]


def without_files(content: Any) -> Any:
    """Return a message's content as it is answered: an image's place, not the image."""
    if isinstance(content, str):
        return content
    return [part if part["type"] == "text" else {"type": "image"} for part in content]


WORD_BOX: Schema = {"type": "array", "minItems": 2, "maxItems": 2}
WORD_BOXES: Schema = {"type": "array", "items": WORD_BOX, "minItems": 1, "maxItems": 10_000}
EDGE: Schema = {"type": "integer", "minimum": 0, "maximum": 1000}


@task("document-question-answering", "docvqa")
class DocumentQuestionAnswering(Task):
    """The answer to a question about a page: a span of its words, which the client sent, or Donut's own."""

    fields: ClassVar = {"image": PICTURE, "question": {**TEXT, "minLength": 1}, "word_boxes": WORD_BOXES}
    forms: ClassVar = (("image", "question"), ("word_boxes", "question"))
    media: ClassVar = ("image",)
    parameters: ClassVar = {
        "top_k": {**COUNT, "default": 1},
        "doc_stride": COUNT,
        "max_answer_len": {**COUNT, "default": 15},
        "max_seq_len": COUNT,
        "handle_impossible_answer": {**FLAG, "default": False},
    }
    prediction: ClassVar = {
        "anyOf": [
            list_of(record({"score": SCORE, "answer": TEXT, "start": WHOLE, "end": WHOLE})),
            list_of(record({"answer": {"anyOf": [TEXT, {"type": "null"}]}})),
        ]
    }
    example: ClassVar = {
        "image": GREY, "question": "what?", "word_boxes": [["warm", [0, 0, 9, 9]], ["up", [9, 0, 19, 9]]],
    }  # fmt: skip
    budget = 2048

    def __init__(self, archive: Archive) -> None:
        self.pictures = Pictures(archive)
        super().__init__(archive)
        self.reads = archive.config().model_type == "vision-encoder-decoder"
        kind = "AutoModelForImageTextToText" if self.reads else "AutoModelForDocumentQuestionAnswering"
        self.model = archive.model(getattr(transformers, kind))
        self.tokenizer = archive.processor(transformers.AutoTokenizer)
        self.tokenizer.padding_side = "right"
        processor, files = None, ("preprocessor_config.json", "processor_config.json")
        if any((archive.folder / name).is_file() for name in files):
            processor = archive.processor(transformers.AutoImageProcessor)
            processor.apply_ocr = False  # the words come with the request
        # It knows how to cut a page in parts and how to choose among spans; the model is run here.
        self.pipeline = transformers.DocumentQuestionAnsweringPipeline(
            model=self.model, tokenizer=self.tokenizer, image_processor=processor, device=self.model.device
        )
        positions = getattr(self.model.config, "max_position_embeddings", None)
        if positions:  # LayoutLMv3 counts positions from the padding index on
            offset = self.model.config.pad_token_id + 1 if self.model.config.model_type == "layoutlmv3" else 0
            self.tokenizer.model_max_length = min(self.tokenizer.model_max_length, positions - offset)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a part of the page."""
        return each(queries, self.parts)

    def parts(self, query: Query) -> list[Item]:
        """Cut one page.

        Raises:
            Refused: Words or boxes are missing or can't be.
        """
        inputs: Fields = {"question": query.fields["question"]}
        if "image" in query.fields:
            inputs["image"] = self.pictures.open(query.fields["image"])
        elif self.reads or self.model.config.model_type == "layoutlmv2":
            raise Refused("image is missing: this model sees the page", 422)
        options: Parameters = {}
        if not self.reads:
            if "word_boxes" not in query.fields:
                raise Refused(
                    "word_boxes is missing: this model reads no text from an image; send "
                    '[["word", [left, top, right, bottom]], ...] in thousandths of the page', 422,
                )  # fmt: skip
            inputs["word_boxes"] = [_word_box(*entry) for entry in query.fields["word_boxes"]]
            options = self._window(query)
        return [self._item(part) for part in self.pipeline.preprocess(inputs, **options)]

    def _window(self, query: Query) -> Parameters:
        """Return the length of a part and how far it overlaps the next.

        Raises:
            Refused: No word fits beside the question.
        """
        length = min(query.parameters.get("max_seq_len") or 10**6, self.tokenizer.model_max_length)
        words = query.fields["question"].split()
        if not words:
            raise Refused("question must not be blank")
        question = self.tokenizer.backend_tokenizer.encode(
            words, is_pretokenized=True, add_special_tokens=False
        )
        room = length - len(question.ids) - self.tokenizer.num_special_tokens_to_add(pair=True)
        if room < 2:
            raise Refused("no word fits beside the question: it is too long, or max_seq_len too small", 422)
        stride = query.parameters.get("doc_stride") or min(length // 2, 256, room // 2)
        if stride >= room:
            raise Refused(f"doc_stride must be less than {room}, what is left beside the question", 422)
        return {"max_seq_len": length, "doc_stride": stride}

    def _item(self, part: Mapping[str, Any]) -> Item:
        tensors = tensors_of(part, self.model.dtype)
        if self.reads:
            return Item(tensors, 1024, shapes_of(tensors, padded=False))
        source = {name: part[name] for name in ("p_mask", "word_ids", "words", "attention_mask")}
        return Item(tensors, tensors["input_ids"].shape[1], shapes_of(tensors, padded=True), source)

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """What the pipeline makes answers of, a row an item."""
        batch = together([item.inputs for item in pack], self.device, self.tokenizer.pad_token_id or 0)
        if self.reads:
            sequences = self.model.generate(**batch, **self.pipeline._prepare_generate_kwargs({})).cpu()
            return [{"sequences": row[None]} for row in sequences]
        output = self.model(**batch)
        starts, ends = output.start_logits.float().cpu(), output.end_logits.float().cpu()
        return [
            {"start_logits": start[None, : item.length], "end_logits": end[None, : item.length]}
            for start, end, item in zip(starts, ends, pack, strict=True)
        ]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The `top_k` best answers."""
        names = ("top_k", "max_answer_len", "handle_impossible_answer")
        return self.pipeline.postprocess(
            [{**row, **(item.source or {})} for row, item in zip(rows, items, strict=True)],
            **{name: query.parameters[name] for name in names},
        )


def _word_box(word: Any, box: Any) -> tuple[str, list[int]]:
    edges = check(box, {"type": "array", "items": EDGE, "minItems": 4, "maxItems": 4}, "word_boxes: a box")
    if edges[0] > edges[2] or edges[1] > edges[3]:
        raise Refused(
            "word_boxes: a box is [left, top, right, bottom]: right and bottom can't come first", 422
        )
    return check(word, TEXT, "word_boxes: a word"), edges


# ---- Audio ----------------------------------------------------------------------------------------------

SOUND: Schema = PICTURE  # a file, in the same spellings
RATES = (1_000, 768_000)  # samples a second


def silence() -> bytes:
    """Half a second of silence as a WAV file: answered at load."""
    import io
    import wave

    stream = io.BytesIO()
    with wave.open(stream, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(bytes(16_000))
    return stream.getvalue()


def read_sound(content: bytes, rate: int, most: float) -> numpy.ndarray:
    """Return the samples (float32, one channel, from -1 to 1) of a file at `rate` a second.

    Args:
        content: WAV with PCM; with the library soundfile also FLAC, OGG, MP3 and other kinds of WAV.
        rate: What the model takes; channels are averaged.
        most: Seconds that are not too long.

    Raises:
        Refused: No sound of a known format (415), too long (413), or damaged or empty (422).
    """
    found = read_wave(content, most) if content[:4] == b"RIFF" else None
    samples, own_rate = found or read_soundfile(content, most)
    if not len(samples) or not numpy.isfinite(samples).all():
        raise Refused("the audio is empty or damaged", 422)
    return resampled(samples, own_rate, rate)


def _measure_sound(frames: int, rate: int, most: float) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise Refused(f"the audio has {rate} samples a second, accepted: {RATES[0]} to {RATES[1]}", 422)
    if frames > most * rate:
        raise Refused(f"the audio is longer than {most:g} seconds", 413)


def read_wave(content: bytes, most: float) -> tuple[numpy.ndarray, int] | None:
    """Read a WAV file with PCM by Python's own means; None when it is another kind of WAV."""
    import io
    import wave

    try:
        with wave.open(io.BytesIO(content)) as reader:
            _measure_sound(reader.getnframes(), reader.getframerate(), most)
            raw = reader.readframes(reader.getnframes())
            width, channels, rate = reader.getsampwidth(), reader.getnchannels(), reader.getframerate()
    except (wave.Error, EOFError):
        return None
    except Refused:
        raise
    except Exception:  # a header that lies
        raise Refused("the audio is damaged or cut short", 422) from None
    if width not in {1, 2, 3, 4}:
        return None
    raw = raw[: len(raw) // (width * channels) * width * channels]
    if width == 1:  # the only one without a sign
        values = (numpy.frombuffer(raw, numpy.uint8).astype(numpy.float32) - 128) / 128
    else:
        # The bytes become the highest of 32 bits, so that one scale fits all widths.
        whole = numpy.zeros((len(raw) // width, 4), numpy.uint8)
        whole[:, 4 - width :] = numpy.frombuffer(raw, numpy.uint8).reshape(-1, width)
        values = (whole.view("<i4")[:, 0] / 2**31).astype(numpy.float32)
    return values.reshape(-1, channels).mean(axis=1), rate


def read_soundfile(content: bytes, most: float) -> tuple[numpy.ndarray, int]:
    """Read what libsndfile knows, a little at a time: a small file may hold hours.

    Raises:
        Refused: It knows no such file, or soundfile is not installed.
    """
    import io

    try:
        soundfile = need("soundfile", "audio other than WAV with PCM")
    except ValueError:
        message = "expected audio as WAV with PCM; for FLAC, OGG or MP3 the server lacks soundfile"
        raise Refused(message, 415) from None
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as reader:
            parts, frames = [], 0
            for block in reader.blocks(2**16, dtype="float32", always_2d=True):
                frames += len(block)
                _measure_sound(frames, reader.samplerate, most)
                parts.append(block.mean(axis=1))
            return (numpy.concatenate(parts) if parts else numpy.zeros(0, numpy.float32)), reader.samplerate
    except Refused:
        raise
    except Exception:  # soundfile.LibsndfileError, or what its wrapper makes of a header that lies
        raise Refused("expected audio as WAV, FLAC, OGG or MP3", 415) from None


def resampled(samples: numpy.ndarray, old: int, new: int) -> numpy.ndarray:
    """Return samples at another rate: each a sum of those around it, weighted by a sinc under a Hann window.

    Six zero crossings wide and 1 % below the lower Nyquist frequency, as torchaudio's `resample`.

    Raises:
        Refused: The rates have hardly a common divisor, so that every sample needs weights of its own.
    """
    import math

    if old == new:
        return samples
    divisor = math.gcd(old, new)
    step, phases = old // divisor, new // divisor
    cutoff = 0.99 * min(step, phases)
    width = math.ceil(6 * step / cutoff)
    if phases * (2 * width + step) > 2**23:
        raise Refused(f"the audio has {old} samples a second; send it with {new}, 44100 or 48000", 422)
    offsets = torch.arange(-width, width + step, dtype=torch.float64) / step
    times = offsets[None, :] - torch.arange(phases, dtype=torch.float64)[:, None] / phases
    crossings = (times * cutoff).clamp(-6, 6)
    weights = torch.sinc(crossings) * torch.cos(crossings * math.pi / 12) ** 2 * (cutoff / step)
    padded = torch.nn.functional.pad(torch.from_numpy(samples)[None, None], (width, width + step))
    blocks = torch.nn.functional.conv1d(padded, weights[:, None].float(), stride=step)
    length = math.ceil(phases * len(samples) / step)
    result: numpy.ndarray = blocks[0].T.reshape(-1)[:length].numpy()
    return result


class AudioTask(Task):
    """A task that asks a model about one sound; only those that are equally long run together.

    Zeros at the end of a shorter one would change what most of these models hear: they have no mask.
    """

    fields: ClassVar = {"audio": SOUND}
    media: ClassVar = ("audio",)
    example: ClassVar[Any] = {"b64": base64.b64encode(silence()).decode()}
    budget = 3000  # hundredths of a second

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        if archive.device.type == "cuda" and not archive.settings["max_batch_tokens"]:
            self.budget *= 16
        self.extractor = archive.processor(transformers.AutoFeatureExtractor)
        self.load()
        if archive.settings["device_map"]:
            self.device = self.model.device

    def load(self) -> None:
        """Set `model`."""
        raise NotImplementedError

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Open the sounds, and make of each what the model takes."""
        return each(queries, self.items)

    def items(self, query: Query) -> list[Item]:
        """Return the work of one query.

        Raises:
            Refused: It can't be used.
        """
        raise NotImplementedError

    def sound(self, query: Query) -> numpy.ndarray:
        """Return the samples at the rate of the model."""
        content, most = query.fields["audio"], self.archive.settings["max_audio_seconds"]
        return read_sound(content, self.extractor.sampling_rate, most)


@task("audio-classification")
class AudioClassification(AudioTask):
    """The `top_k` best labels of a sound."""

    parameters: ClassVar = {
        "top_k": {**ALL_OR_COUNT, "default": 5},
        "function_to_apply": {**FUNCTION, "default": "default"},
    }
    prediction: ClassVar = list_of(LABEL)

    def load(self) -> None:
        """Load the model."""
        self.model = self.archive.model(transformers.AutoModelForAudioClassification)
        self.labels = NamedLabels(self.model.config.id2label)

    def items(self, query: Query) -> list[Item]:
        """The whole sound."""
        samples = self.sound(query)
        rate = self.extractor.sampling_rate
        inputs = tensors_of(
            self.extractor(samples, sampling_rate=rate, return_tensors="pt"), self.model.dtype
        )
        return [Item(inputs, max(1, 100 * len(samples) // rate), shapes_of(inputs, padded=False))]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Logits, a row an item."""
        batch = together([item.inputs for item in pack], self.device)
        return list(self.model(**batch).logits.float().cpu())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Labels and scores, best first."""
        function = query.parameters["function_to_apply"]
        if function == "default":
            kind = self.model.config.problem_type
            function = {"regression": "none", "multi_label_classification": "sigmoid"}.get(kind, "softmax")
        return ranked_labels(self.labels, scores_of(rows[0], function).tolist(), query.parameters["top_k"])


SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 3600}
CHUNK: Schema = record({"text": TEXT, "timestamp": list_of({"anyOf": [NUMBER, {"type": "null"}]})},
                       {"language": {"anyOf": [TEXT, {"type": "null"}]}})  # fmt: skip


@task("automatic-speech-recognition", "asr")
class SpeechRecognition(AudioTask):
    """What is said in a sound, and when: by Whisper, by models with a CTC head, or another that writes."""

    parameters: ClassVar = {
        "return_timestamps": {"anyOf": [FLAG, {"type": "string", "enum": ["word", "char"]}]},
        "chunk_length_s": SECONDS,
        "stride_length_s": {"anyOf": [SECONDS, {**list_of(SECONDS), "minItems": 2, "maxItems": 2}]},
        "return_language": FLAG,
        "language": TEXT,
        "task": {"type": "string", "enum": ["transcribe", "translate"]},
        **{
            name: GENERATION[name]
            for name in ("max_new_tokens", "do_sample", "temperature", "top_k", "top_p", "repetition_penalty",
                         "no_repeat_ngram_size", "num_beams", "length_penalty", "early_stopping", "seed")
        },
    }  # fmt: skip
    aliases: ClassVar = {"max_tokens": "max_new_tokens"}
    prediction: ClassVar = record({"text": TEXT}, {"chunks": list_of(CHUNK)})

    def load(self) -> None:
        """Load the model by the kind of its head."""
        kind = type(self.archive.config())
        ctc = kind in transformers.AutoModelForCTC._model_mapping
        self.model = self.archive.model(
            transformers.AutoModelForCTC if ctc else transformers.AutoModelForSpeechSeq2Seq
        )
        # It knows how to cut a sound in chunks, to join them and to tell the time; packs are made here.
        self.pipeline = transformers.AutomaticSpeechRecognitionPipeline(
            model=self.model, feature_extractor=self.extractor, device=self.model.device,
            tokenizer=self.archive.processor(transformers.AutoTokenizer),
        )  # fmt: skip
        self.is_whisper = self.pipeline.type == "seq2seq_whisper"

    def options(self, query: Query, samples: int) -> tuple[Parameters, Parameters, Parameters]:
        """Return the options of the pipeline's three steps.

        Raises:
            Refused: They don't go together, or not with this model.
        """
        sent = {key: value for key, value in query.parameters.items() if key != "seed"}
        written = set(sent) - {"return_timestamps", "chunk_length_s", "stride_length_s", "return_language"}
        if self.pipeline.type == "ctc" and written:
            raise Refused(f"a CTC model generates nothing, so it takes no {', '.join(sorted(written))}", 422)
        if not self.is_whisper and written & {"language", "task"}:
            raise Refused("only Whisper takes language and task", 422)
        if not sent.get("return_timestamps", True):
            del sent["return_timestamps"]
        if not sent.get("return_language", True):
            del sent["return_language"]
        try:
            options = self.pipeline._sanitize_parameters(**sent, ignore_warning=True)
        except ValueError as error:
            raise Refused(str(error)[:300], 422) from None
        whole = not sent.get("chunk_length_s")
        long = self.is_whisper and whole and samples > self.extractor.n_samples
        if long and not options[1].get("return_timestamps"):
            raise Refused(
                f"the audio is longer than the {self.extractor.chunk_length} seconds the model takes "
                "at once: send return_timestamps: true, or chunk_length_s", 422,
            )  # fmt: skip
        return options

    def items(self, query: Query) -> list[Item]:
        """One item a chunk; only equal parameters share a pack."""
        samples = self.sound(query)
        options = self.options(query, len(samples))
        chunk, stride = options[0].get("chunk_length_s"), options[0].get("stride_length_s")
        if chunk:
            strides = stride if isinstance(stride, list) else [chunk / 6 if stride is None else stride] * 2
            # Each step of less than half a second would cost as much as a whole chunk.
            if chunk - sum(strides) < 0.5 or chunk < 1:
                raise Refused(
                    "chunk_length_s must be 1 at least, and 0.5 more than both strides together", 422
                )
            if self.is_whisper and chunk > self.extractor.chunk_length:
                raise Refused(f"chunk_length_s must be {self.extractor.chunk_length} at most", 422)
        query.parameters = {**query.parameters, "options": options}
        return [
            self._item(part, query, options[1]) for part in self.pipeline.preprocess(samples, **options[0])
        ]

    def _item(self, part: Mapping[str, Any], query: Query, options: Parameters) -> Item:
        inputs = tensors_of(part, self.model.dtype)
        seed = query.parameters.get("seed")
        # A long sound is taken in steps of its own, a language is told for one sound only.
        long = self.is_whisper and inputs["input_features"].shape[-1] > self.extractor.nb_max_frames
        alone = object() if long or seed is not None or options.get("return_language") else None
        frames = next(iter(inputs.values())).shape[-1]
        length = max(
            1, frames if "input_features" in inputs else 100 * frames // self.extractor.sampling_rate
        )
        group = (tuple(sorted(options.items())), seed, alone, shapes_of(inputs, padded=False))
        return Item(inputs, length * (options.get("num_beams") or 1), group, part.get("stride"))

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """What the pipeline makes text of, a row an item."""
        options, seed, *_ = pack[0].group  # type: ignore[misc]
        batch = together([item.inputs for item in pack], self.device)
        try:
            with seeded(seed, self.device):
                output = self.pipeline._forward({**batch, "is_last": True}, **dict(options))
        except ValueError as error:  # generate's word for parameters that don't fit the model
            raise Refused(f"the model refuses the parameters: {str(error)[:200]}", 422) from None
        return [
            {
                name: value[row : row + 1].cpu() if isinstance(value, torch.Tensor) else value[row : row + 1]
                for name, value in output.items()
                if name in {"tokens", "token_timestamps", "lang_id"}
            }
            for row in range(len(pack))
        ]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The text of all chunks, and its parts with their times when asked for."""
        from transformers.pipelines.automatic_speech_recognition import rescale_stride

        outputs = []
        for item, row in zip(items, rows, strict=True):
            strides = [item.source] if item.source is not None else []
            if self.pipeline.type == "ctc":  # counted in rows of logits
                strides = rescale_stride(strides, 1 / self.pipeline._align_to)
            outputs.append({**row, **({"stride": strides[0]} if strides else {})})
        answer = dict(self.pipeline.postprocess(outputs, **query.parameters["options"][2]))
        for chunk in answer.get("chunks", ()):
            chunk["timestamp"] = [None if time is None else float(time) for time in chunk["timestamp"]]
        return answer


# ---- Which task ---------------------------------------------------------------------------------------

# The end of an architecture's name in config.json, to the task it is for; the first that fits wins.
ARCHITECTURES = {
    "ForTokenClassification": "token-classification",
    "LayoutLMForQuestionAnswering": "document-question-answering",
    "LayoutLMv2ForQuestionAnswering": "document-question-answering",
    "LayoutLMv3ForQuestionAnswering": "document-question-answering",
    "ViltForQuestionAnswering": "visual-question-answering",
    "BlipForQuestionAnswering": "visual-question-answering",
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForSemanticSegmentation": "image-segmentation",
    "ForInstanceSegmentation": "image-segmentation",
    "ForUniversalSegmentation": "image-segmentation",
    "ForSegmentation": "image-segmentation",
    "Wav2Vec2ForSequenceClassification": "audio-classification",
    "HubertForSequenceClassification": "audio-classification",
    "WavLMForSequenceClassification": "audio-classification",
    "ForAudioClassification": "audio-classification",
    "ASTForAudioClassification": "audio-classification",
    "ForSequenceClassification": "text-classification",
    "WhisperForConditionalGeneration": "automatic-speech-recognition",
    "Speech2TextForConditionalGeneration": "automatic-speech-recognition",
    "ForSpeechSeq2Seq": "automatic-speech-recognition",
    "ForCTC": "automatic-speech-recognition",
    "MarianMTModel": "translation",
    "M2M100ForConditionalGeneration": "translation",
    "PegasusForConditionalGeneration": "summarization",
    "BlipForConditionalGeneration": "image-to-text",
    "VisionEncoderDecoderModel": "image-to-text",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "CLIPModel": "zero-shot-image-classification",
    "SiglipModel": "zero-shot-image-classification",
    "Siglip2Model": "zero-shot-image-classification",
    "AltCLIPModel": "zero-shot-image-classification",
}
# A model that looks like one for the first task may be meant for one of the others, which use the same head.
SAME_HEAD = {
    "text-classification": ("zero-shot-classification", "text-ranking"),
    "text2text-generation": ("summarization", "translation"),
    "fill-mask": ("feature-extraction",),
    "image-to-text": ("document-question-answering",),
}


def canonical(name: object) -> str:
    """Return a name or alias of a task as `TASKS` has it.

    Raises:
        ValueError: There is no such task; the message says which there are.
    """
    text = name if isinstance(name, str) else ""
    if text not in TASKS and text.startswith("translation_") and "_to_" in text:
        text = "translation"
    if text not in TASKS:
        accepted = ", ".join(sorted({task_class.name for task_class in TASKS.values()}))
        raise ValueError(
            f"unknown task {name!r}; accepted: {accepted}; "
            "fix: set handler.task in model-config.yaml to one of them"
        )
    return text


def choose_task(settings: Parameters, folder: Path) -> str:
    """Return the task that `settings` name, else the one the model's own files tell.

    Raises:
        ValueError: The settings name an unknown task, or the files tell none.
    """
    if settings["task"] is not None:
        canonical(settings["task"])
        return str(settings["task"])  # as it was written: `translation_en_to_de` holds the languages
    if "Pooling" in dict(sentence_modules(folder)):
        return "sentence-embeddings"
    config = read_json(folder / "config.json")
    if is_cross_encoder(folder, config):
        return "text-ranking"
    told = told_by_architecture(folder, config)
    for hint in hints(folder, config):
        try:
            name = canonical(hint)
        except ValueError:
            continue
        if told is None or name in SAME_HEAD.get(told, ()):
            return hint
    if told is not None:
        return told
    accepted = ", ".join(sorted({task_class.name for task_class in TASKS.values()}))
    raise ValueError(
        f"the model tells no task: no Pooling module, architectures {config.get('architectures') or []}; "
        f"accepted tasks: {accepted}; fix: set handler.task in model-config.yaml to one of them"
    )


def told_by_architecture(folder: Path, config: Mapping[str, Any]) -> str | None:
    """Return the task that the names of the config's architectures end with; None when none does."""
    for architecture in config.get("architectures") or []:
        for ending, name in ARCHITECTURES.items():
            if architecture.endswith(ending):
                return name
        if architecture.endswith("ForConditionalGeneration"):
            return "image-text-to-text" if "vision_config" in config else "text2text-generation"
        if architecture.endswith("Model") and (folder / "tokenizer_config.json").is_file():
            return "feature-extraction"  # a model of text without a head
    return None


def hints(folder: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else names a task: `pipeline_tag` of the model card, a task's parameters in the config."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    if text.startswith("---"):
        for line in text.split("---", 2)[1].splitlines():
            key, _, value = line.partition(":")
            if key == "pipeline_tag":
                yield value.strip().strip("'\"")
    specific = list(config.get("task_specific_params") or ())
    if len(specific) == 1:
        yield specific[0]
    elif specific and all(name.startswith("translation_") for name in specific):
        yield "translation"


def is_cross_encoder(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether sentence-transformers' `CrossEncoder` wrote the folder."""
    named = read_json(folder / "config_sentence_transformers.json").get("model_type") == "CrossEncoder"
    return named or ("sentence_transformers" in config and any(
        name.endswith("ForSequenceClassification") for name in config.get("architectures") or []
    ))  # fmt: skip


# ---- Requests -----------------------------------------------------------------------------------------


@dataclass
class Request:
    """One request, when no envelope took it apart.

    Attributes:
        instances: As sent.
        parameters: Of the call.
        close: Makes the response of the predictions.
    """

    instances: list[Any]
    parameters: Parameters
    close: Callable[[list[Any]], Any]


def open_request(body: Any, content_type: str, owner: Task) -> Request:
    """Take one request apart, as TorchServe hands it over when no service envelope is set.

    Raises:
        Refused: It is no request we know, or JSON that can't be parsed.
    """
    if isinstance(body, bytes | bytearray) and content_type.lower().startswith("application/json"):
        try:  # TorchServe hands over the bytes of JSON that it could not parse
            body = json.loads(body)
        except (ValueError, RecursionError):
            raise Refused("the body is not valid JSON") from None
    if not isinstance(body, dict) or not {"instances", "inputs"} & set(body):
        return Request([body], {}, lambda predictions: predictions[0])
    key = "instances" if "instances" in body else "inputs"
    parameters = body.get("parameters", {})
    if not isinstance(parameters, dict) or not set(body) <= {key, "parameters"}:
        raise Refused(f"beside {key} only parameters, an object, is accepted")
    if key == "inputs" and (not isinstance(body[key], list) or owner.is_one(body[key])):
        return Request([body], {}, lambda predictions: predictions[0])
    if not isinstance(body[key], list) or not body[key]:
        raise Refused(f"{key} must be a list that is not empty, got {kind_of(body[key])}")
    if key == "inputs":
        return Request([{"inputs": value} for value in body[key]], parameters, list)
    return Request(body[key], parameters, lambda predictions: {"predictions": predictions})


class Service:
    """A loaded model: answers the batches TorchServe hands over.

    Args:
        context: TorchServe's `ts.context.Context`; its `model_yaml_config` may have a mapping `handler`.

    Raises:
        ValueError: The settings, the model's task or its weights can't be used.
    """

    def __init__(self, context: Any) -> None:
        started = time.monotonic()
        archive = Archive.of(context)
        archive.settings["task"] = choose_task(archive.settings, archive.folder)
        self.task = TASKS[canonical(archive.settings["task"])](archive)
        # What it advises at each call (both lengths are set, ...) is for who writes the call.
        transformers.logging.set_verbosity_error()
        self.task.warm_up()
        logger.info(
            "%s on %s, packs of %d, loaded and warmed up in %.1f s",
            self.task.name, archive.device, self.task.budget, time.monotonic() - started,
        )  # fmt: skip

    def answer(self, data: list[Any], context: Any) -> list[Any]:
        """Answer instances (an envelope took the requests apart) or whole requests (no envelope)."""
        for index in range(len(context.request_processor or [])):
            context.set_response_content_type(index, "application/json")
        parameters = getattr(context, "instance_parameters", None)
        if parameters is None and all(
            isinstance(row, dict) and ("body" in row or "data" in row) for row in data
        ):
            return self._answer_requests(data, context)
        return self._answer_instances(data, parameters, context)

    def _answer_instances(self, data: Sequence[Any], parameters: Any, context: Any) -> list[Any]:
        """Answer the instances an envelope hands over.

        An envelope that can fail one request alone says which request each instance is of
        (`context.instance_requests`) and takes failures (`context.instance_failures`, index to status and
        message). For any other, the first failure fails the call.
        """
        sink: dict[int, tuple[int, str]] | None = getattr(context, "instance_failures", None)
        requests = getattr(context, "instance_requests", None)
        if requests is None and len(context.request_processor or []) == 1:
            requests = [0] * len(data)
        positions = positions_of(requests or [None] * len(data))
        queries = []
        for index, instance in enumerate(data):
            query = self._read(instance, parameters[index] if parameters else {})
            query.request = requests[index] if requests else None
            if query.failure is not None and sink is None:
                raise_failure(query.failure, positions[index])
            queries.append(query)
        self._answer(queries, context)
        for index, query in enumerate(queries):
            if query.failure is not None:
                if sink is None:
                    raise_failure(query.failure, positions[index])
                if not isinstance(query.failure, Refused):
                    log_failure(query.failure)
                sink[index] = failure_of(query.failure, positions[index])
        report_truncated(queries, positions, context)
        return [query.prediction for query in queries]

    def _answer_requests(self, rows: Sequence[Mapping[str, Any]], context: Any) -> list[Any]:
        """Answer each request by itself; one that can't be used gets its own status and touches no other."""
        answers: list[Any] = [None] * len(rows)
        opened: list[tuple[int, Request, list[Query]]] = []
        for index, row in enumerate(rows):
            name = "body" if "body" in row else "data"
            headers = context.get_all_request_header(index) if context.request_processor else {}
            content_type = (headers.get(name) or {}).get("content-type") or ""
            try:
                request = open_request(row[name], content_type, self.task)
            except Refused as error:
                answers[index] = refuse_request(context, index, error.status, str(error))
                continue
            queries = [self._read(instance, request.parameters) for instance in request.instances]
            for query in queries:
                query.request = index
            failed = first_failure(queries)
            if failed is not None:
                answers[index] = refuse_request(context, index, *failed)
                continue
            opened.append((index, request, queries))
        everything = [query for _, _, queries in opened for query in queries]
        self._answer(everything, context)
        for index, request, queries in opened:
            failed = first_failure(queries)
            if failed is not None:
                answers[index] = refuse_request(context, index, *failed)
                continue
            report_truncated(queries, range(len(queries)), context)
            answers[index] = request.close([query.prediction for query in queries])
        return answers

    def _read(self, instance: Any, parameters: Parameters) -> Query:
        try:
            return self.task.read(instance, parameters)
        except Refused as error:
            return Query({}, {}, failure=error)

    def _answer(self, queries: Sequence[Query], context: Any) -> None:
        usable = [query for query in queries if query.failure is None]
        if usable:
            self.task.answer(usable, context)


def positions_of(requests: Sequence[int | None]) -> list[int]:
    """Return the index of each instance within its request."""
    seen: dict[int | None, int] = {}
    positions = []
    for request in requests:
        positions.append(seen.get(request, 0))
        seen[request] = positions[-1] + 1
    return positions


def failure_of(error: Exception, position: int) -> tuple[int, str]:
    """Return the status of a failure and what the client reads."""
    if isinstance(error, Refused):
        return error.status, f"instance {position}: {error}"
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return HTTPStatus.INSUFFICIENT_STORAGE, f"instance {position}: out of memory"
    return HTTPStatus.INTERNAL_SERVER_ERROR, f"instance {position}: the prediction failed"


def first_failure(queries: Sequence[Query]) -> tuple[int, str] | None:
    """Return the first failure of one request's queries, if any; logs what is no client's mistake."""
    for position, query in enumerate(queries):
        if query.failure is not None:
            if not isinstance(query.failure, Refused):
                log_failure(query.failure)
            return failure_of(query.failure, position)
    return None


def log_failure(error: Exception) -> None:
    """Log where an exception came from, without its message: that may quote the request."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown"
    logger.error("%s at %s", type(error).__name__, place)


def raise_failure(error: Exception, position: int) -> None:
    """Fail the whole call: with a status where TorchServe is there to send it.

    Raises:
        PredictionException: The client's mistake; `Refused` where TorchServe is not installed.
        Exception: Any other failure, as it is.
    """
    if not isinstance(error, Refused):
        raise error
    status, message = failure_of(error, position)
    try:
        from ts.utils.util import PredictionException
    except ImportError:
        raise Refused(message, status) from None
    raise PredictionException(message, status)


def refuse_request(context: Any, index: int, status: int, message: str) -> Any:
    """Set the status of one request; returns its body."""
    context.set_response_status(int(status), HTTPStatus(status).phrase, index)
    return {"error": {"code": int(status), "message": message}}


def report_truncated(queries: Sequence[Query], positions: Sequence[int], context: Any) -> None:
    """Name the instances whose text was cut, by their index in the request, in the header `x-truncated`."""
    cut: dict[int, list[str]] = {}
    for query, position in zip(queries, positions, strict=True):
        if query.truncated:
            if query.request is None:
                logger.warning(
                    "a text was cut; this service envelope doesn't tell whose, so no header says so"
                )
            else:
                cut.setdefault(query.request, []).append(str(position))
    for request, indices in cut.items():
        context.set_response_header(request, "x-truncated", ",".join(indices))


def handle(data: list[Any] | None, context: Any) -> list[Any] | None:
    """What TorchServe calls: once with no data, to load; then for every batch.

    Args:
        data: Instances; or a mapping with `body` or `data` for each request.
        context: TorchServe's `ts.context.Context`, the same object every time: it keeps the loaded model, so
            one process can serve several. An envelope that passes parameters on sets its
            `instance_parameters`: one mapping for each instance.

    Returns:
        As many answers as `data` has items, in order, of JSON types only.

    Raises:
        PredictionException: An instance can't be used, and the envelope can't fail a request alone.
    """
    if data is None:
        context.huggingface = Service(context)
        return None
    answers: list[Any] = context.huggingface.answer(data, context)
    return answers
