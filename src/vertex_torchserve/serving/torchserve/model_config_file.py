"""Write the `model-config.yaml` that TorchServe reads in place of the archive's own.

TorchServe 0.12 ignores the server's defaults for a model whose archive has this file, even for keys the file
leaves out: it takes 120 seconds for both time-outs, and reads the worker counts only when both are there
(`ModelConfig.java`, `ModelManager.java`). So every model gets a file with every key.
"""

import json
from pathlib import Path
from typing import Any

from vertex_torchserve.serving.archive.member_names import EFFECTIVE_CONFIG_NAME, MANIFEST_NAME
from vertex_torchserve.serving.archive.model_config import ModelConfig
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.machine.sizing import Sizing
from vertex_torchserve.serving.settings import STARTUP_TIMEOUT_SECONDS, ServingSettings
from vertex_torchserve.serving.torchserve.config_properties import response_timeout_seconds


def write_model_config(
    model: ModelFolder, config: ModelConfig, settings: ServingSettings, sizing: Sizing
) -> Path:
    """Write the archive's keys and, for those it leaves out, our values; the manifest names the new file.

    Args:
        model: The unpacked archive, whose manifest is rewritten.
        config: What the archive asks for; each of its keys reaches the handler.
        settings: Time limits.
        sizing: Workers and batches.

    Returns:
        The file.

    Raises:
        InputError: It would be longer than TorchServe reads.
    """
    decided: dict[str, int | bool] = {
        "minWorkers": sizing.workers,
        "maxWorkers": sizing.workers,
        "batchSize": sizing.batch_size,
        "maxBatchDelay": sizing.max_batch_delay_ms,
        "responseTimeout": response_timeout_seconds(settings),
        "startupTimeout": STARTUP_TIMEOUT_SECONDS,
    }
    if model.manifest.requirements_file:
        decided["useVenv"] = True  # pip's other way, `-t`, installs a second torch beside the image's
    target = model.path / EFFECTIVE_CONFIG_NAME
    target.write_text(config.written(decided), encoding="utf-8")
    _name_in_manifest(model.path / MANIFEST_NAME)
    return target


def _name_in_manifest(path: Path) -> None:
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    manifest["model"]["configFile"] = EFFECTIVE_CONFIG_NAME
    # For `python3` TorchServe starts the first python3 on the PATH: not the Python of `--python`, and not the
    # model's own virtual environment. For `python` it starts those.
    if manifest.get("runtime") == "python3":
        manifest["runtime"] = "python"
    path.write_text(json.dumps(manifest, indent=2))
