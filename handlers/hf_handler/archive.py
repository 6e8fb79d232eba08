"""The model folder: what it holds, and models, tokenizers and processors loaded from it."""

import json
import pickle
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from hf_handler.linear_layers import use_onednn
from hf_handler.optional import need
from hf_handler.schema import Parameters
from hf_handler.settings import Settings, read_settings

# The names that save_pretrained gives weights; to shards, `model-00001-of-00002.safetensors` and so on.
WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors|pytorch_model(-\d+-of-\d+)?\.bin")


def read_json(file: Path) -> Any:
    """Return the JSON value in `file`, or an empty object when there is no such file."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


@dataclass(frozen=True)
class Archive:
    """A model folder, what the operator set, and the device to run on.

    Attributes:
        folder: Where TorchServe extracted the archive.
        weights: The serialized file that the manifest names; None when it names none, or an adapter.
        settings: What the operator has set.
        device: The worker's: a GPU that TorchServe gave it, or the CPU.
    """

    folder: Path
    weights: Path | None
    settings: Settings
    device: torch.device

    @classmethod
    def of(cls, context: Any) -> "Archive":
        """Read what TorchServe says of the archive.

        Args:
            context: TorchServe's `ts.context.Context`.

        Raises:
            ValueError: The settings can't be used, or an adapter is without its base model.
        """
        properties = context.system_properties
        folder = Path(properties["model_dir"])
        gpu = properties.get("gpu_id")
        device = torch.device(f"cuda:{gpu}" if torch.cuda.is_available() and gpu is not None else "cpu")
        serialized_file = ((context.manifest or {}).get("model") or {}).get("serializedFile")
        adapter = (serialized_file or "").startswith("adapter_")
        weights = (folder / serialized_file).resolve() if serialized_file and not adapter else None
        check_base(folder, weights)
        settings = read_settings((context.model_yaml_config or {}).get("handler"))
        return cls(folder, weights, settings, device)

    @property
    def dtype(self) -> torch.dtype:
        """The type of number that weights are loaded as."""
        if self.settings.dtype != "auto":
            chosen: torch.dtype = getattr(torch, self.settings.dtype)
            return chosen
        if self.device.type == "cpu":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16

    def config(self, folder: Path | None = None) -> Any:
        """Load the model's config from `folder`; from the archive's when None."""
        return transformers.AutoConfig.from_pretrained(folder or self.folder, **self._trust())

    def processor(self, auto_class: Any, folder: Path | None = None) -> Any:
        """Load a tokenizer, image processor, feature extractor or processor.

        Args:
            auto_class: The `Auto*` class to load with.
            folder: Where its files are; the archive's when None.
        """
        return auto_class.from_pretrained(folder or self.folder, **self._trust())

    def model(self, auto_class: Any, folder: Path | None = None, may_miss: tuple[str, ...] = ()) -> Any:
        """Load a model with all of its weights, ready to run.

        Args:
            auto_class: The `AutoModel*` class to load with.
            folder: Holds `config.json`; the archive when None.
            may_miss: Beginnings of the names of weights that the task doesn't need.

        Returns:
            The model, on the worker's device or where `handler.device_map` says.

        Raises:
            ValueError: The weights hold more than tensors, some that the task needs are missing, or a library
                that the settings need is.
        """
        folder = folder or self.folder
        adapted = (folder / "adapter_config.json").is_file()
        with tempfile.TemporaryDirectory() as view:
            source = self._weights_folder(folder, Path(view), adapted)
            model = self._load(auto_class, source, folder, may_miss)
        if adapted:
            peft = need("peft", "an adapter in the archive")
            model = peft.PeftModel.from_pretrained(model, folder, local_files_only=True).merge_and_unload()
        if not self.settings.device_map:
            model = model.to(self.device)
        model.eval().requires_grad_(False)
        if self.settings.torch_compile:
            model.forward = torch.compile(model.forward, dynamic=True)
        elif self.settings.linear_layers == "auto":
            use_onednn(model)
        return model

    def _trust(self) -> Parameters:
        return {"local_files_only": True, "trust_remote_code": self.settings.trust_remote_code}

    def _weights_folder(self, folder: Path, view: Path, adapted: bool) -> Path:
        """Return a folder where transformers finds the weights, which it looks for by their usual names.

        Args:
            folder: Of the model.
            view: An empty folder, for links to the model's files under names that transformers knows.
            adapted: Whether there is an adapter, which transformers must not see: it would fetch the base
                model that the adapter names.
        """
        sharded = any(folder.glob("*.index.json"))
        named = self.weights if self.weights and self.weights.is_file() and not sharded else None
        if named is None and not adapted:
            return folder
        for file in folder.iterdir():
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
        from transformers.utils.import_utils import is_accelerate_available

        options = {
            "config": self.config(folder),
            "dtype": self.dtype,
            "attn_implementation": self.settings.attn_implementation,
            "output_loading_info": True,
            "weights_only": True,
            **self._trust(),
        }
        if self.settings.device_map:
            need("accelerate", "handler.device_map")
            options["device_map"] = self.settings.device_map
        elif self.device.type == "cuda" and is_accelerate_available():
            options["device_map"] = {"": self.device}  # safetensors are read straight to where they run
        try:
            loaded: tuple[Any, Any] = auto_class.from_pretrained(source, **options)
        except ValueError as error:
            if "attn_implementation" not in str(error) or options["attn_implementation"] != "sdpa":
                raise
            loaded = auto_class.from_pretrained(source, **{**options, "attn_implementation": "eager"})
        return loaded


def is_weights(file: Path) -> bool:
    """Say whether transformers takes a file of this name for weights, or for a part (shard) of them."""
    return WEIGHTS.fullmatch(file.name) is not None


def check_base(folder: Path, weights: Path | None) -> None:
    """Check that an adapter has the model it was trained on beside it; transformers and peft would fetch it.

    Args:
        folder: Of the model; most have no adapter.
        weights: The file that the manifest names, if any.

    Raises:
        ValueError: The model's config or weights are missing.
    """
    adapter = read_json(folder / "adapter_config.json")
    whole = weights is not None or any(map(is_weights, folder.iterdir()))
    if adapter and not (whole and (folder / "config.json").is_file()):
        raise ValueError(
            "adapter_config.json is without its base model: config.json and the weights must be beside it; "
            f"fix: add the files of {adapter.get('base_model_name_or_path') or 'the model it was trained on'}"
        )


def sentence_modules(folder: Path) -> list[tuple[str, Path]]:
    """Return the sentence-transformers modules of a model, in order: each kind (`Pooling`) and its folder.

    Older models have no `modules.json`, but the folder of their Pooling. Other models have no modules.
    """
    modules = read_json(folder / "modules.json")
    if modules:
        return [(entry["type"].rpartition(".")[2], folder / entry["path"]) for entry in modules]
    pooling = folder / "1_Pooling"
    return [("Transformer", folder), ("Pooling", pooling)] if pooling.is_dir() else []
