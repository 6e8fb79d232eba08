"""Load the author's file, which lies in the archive as its author wrote it."""

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

# In model-config.yaml, below `handler`: the file, by its name in the archive.
FILE = "file"


def model_folder(context: Any) -> Path:
    """The folder that the archive was unpacked to.

    Args:
        context: TorchServe's `ts.context.Context`.
    """
    return Path(context.system_properties["model_dir"])


def settings(context: Any) -> Mapping[str, Any]:
    """What model-config.yaml says below `handler`."""
    found = (context.model_yaml_config or {}).get("handler")
    return found if isinstance(found, Mapping) else {}


def load_module(context: Any) -> ModuleType:
    """Import the author's file, with its folder first on the path, as its own server does.

    Args:
        context: TorchServe's `ts.context.Context`.

    Raises:
        ValueError: model-config.yaml names no file, or one that is not in the archive.
        Exception: Whatever the file raises.
    """
    name = settings(context).get(FILE)
    path = model_folder(context) / str(name)
    if not isinstance(name, str) or not path.is_file():
        raise ValueError(
            f"handler.{FILE} in model-config.yaml is {name!r}, which is no file of the archive; "
            "`vertex-torchserve package --handler endpoint:FILE.py` or `sagemaker:FILE.py` writes it"
        )
    show_one_gpu(context.system_properties.get("gpu_id"))
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def show_one_gpu(gpu_id: Any) -> None:
    """Let this worker see its own GPU alone: these handlers take `cuda` or `cuda:0` for it.

    Args:
        gpu_id: What TorchServe gave the worker, an index into the GPUs that it sees; None: the CPU.
    """
    if gpu_id is None:
        return
    seen = [each.strip() for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if each.strip()]
    index = int(gpu_id)
    os.environ["CUDA_VISIBLE_DEVICES"] = seen[index] if index < len(seen) else str(index)
