"""What TorchServe reads about the model in place of the archive's own `model-config.yaml`.

An archive's file beats the server's configuration even where it says nothing: TorchServe 0.12 fills in 120
seconds for both time-outs, and heeds worker counts only when both are there (`ModelConfig.java`,
`ModelManager.java`). So it gets one that says everything.
"""

import json
from pathlib import Path
from typing import Any

from vertex_torchserve.serving.archive.manifest import MANIFEST_NAME, MODEL_CONFIG_NAME
from vertex_torchserve.serving.archive.model_config import ModelConfig
from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.machine.sizing import Sizing
from vertex_torchserve.serving.settings import STARTUP_TIMEOUT_SECONDS, ServingSettings
from vertex_torchserve.serving.torchserve.config_properties import response_timeout_seconds

# Beside the manifest, which is the archive's own folder: a handler may read the file that was packaged.
_CONFIG_NAME = f"MAR-INF/{MODEL_CONFIG_NAME}"


def write_effective_config(
    model: ModelFolder, config: ModelConfig, settings: ServingSettings, sizing: Sizing
) -> Path:
    """Write the archive's keys and, where it is silent, what was decided; the manifest names the new file.

    Args:
        model: The unpacked archive, whose manifest is rewritten.
        config: What the archive asks for; each of its keys reaches the handler.
        settings: Time limits.
        sizing: Workers and batches.

    Returns:
        The file.
    """
    import yaml

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
    target = model.path / _CONFIG_NAME
    target.write_text(yaml.safe_dump(config.completed(decided), allow_unicode=True, sort_keys=False))
    _name_in_manifest(model.path / MANIFEST_NAME)
    return target


def _name_in_manifest(path: Path) -> None:
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    manifest["model"]["configFile"] = _CONFIG_NAME
    # TorchServe takes the first python3 of the path for it, which need not be this one, and no venv.
    if manifest.get("runtime") == "python3":
        manifest["runtime"] = "python"
    path.write_text(json.dumps(manifest, indent=2))
