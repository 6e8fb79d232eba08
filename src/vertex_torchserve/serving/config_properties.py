"""Render TorchServe's `config.properties` for one archive.

Starts from the interface document's configuration, with what measurements and TorchServe's source
showed to be needed; Java properties have no inline comments, so the reasons stand here.
"""

import json
from pathlib import Path

from vertex_torchserve.serving.archive import Manifest
from vertex_torchserve.serving.envelope import SERVICE_ENVELOPE
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.sizing import Sizing

# Vertex AI's dedicated endpoints take 10 MB each way; TorchServe's default is 6.5 MB.
MAX_BODY_BYTES = 10 * 1024 * 1024 + 64 * 1024
# The longest a dedicated endpoint waits; at TorchServe's 120 s the worker would be killed first.
RESPONSE_TIMEOUT_SECONDS = 3600


def render_config_properties(
    settings: ServingSettings, sizing: Sizing, manifest: Manifest, mar_path: Path
) -> str:
    """The text of `config.properties`.

    Args:
        settings: Ports and host.
        sizing: Workers, batches and threads.
        manifest: The archive's; its model name is what the archive is served under, whatever the file's.
        mar_path: The archive; its folder is the model store, and only this file of it is loaded.
    """
    properties = {
        "inference_address": f"http://{settings.http_host}:{settings.http_port}",
        "management_address": f"http://127.0.0.1:{settings.management_port}",
        "metrics_address": f"http://127.0.0.1:{settings.metrics_port}",
        "number_of_netty_threads": sizing.netty_threads,
        "netty_client_threads": sizing.workers,
        "job_queue_size": 1000,
        "model_store": mar_path.parent,
        "load_models": f"{manifest.model_name}={mar_path.name}",
        "models": _models(sizing, manifest, mar_path),
        "service_envelope": SERVICE_ENVELOPE,
        # The envelope parses bodies itself: TorchServe would log what it can't parse.
        "decode_input_request": "false",
        "enable_envvars_config": "true",
        "install_py_dep_per_model": "true",
        "default_workers_per_model": sizing.workers,
        "default_response_timeout": RESPONSE_TIMEOUT_SECONDS,
        "default_startup_timeout": RESPONSE_TIMEOUT_SECONDS,
        "max_request_size": MAX_BODY_BYTES,
        "max_response_size": MAX_BODY_BYTES,
        # Nothing may be registered from outside; the default accepts any URL (CVE-2023-43654).
        "allowed_urls": "file://none",
        "enable_model_api": "false",
        # The platform authenticates callers, and its probes carry no token.
        "disable_token_authorization": "true",
        # System metrics start a new Python every minute and need packages the wheel doesn't declare.
        "disable_system_metrics": "true",
        "metrics_mode": "prometheus",
        # Makes every worker answer None (ts/protocol/otf_message_handler.py).
        "blacklist_env_vars": "LOCAL_RANK",
    }
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def _models(sizing: Sizing, manifest: Manifest, mar_path: Path) -> str:
    """How the model is served: TorchServe looks for its exact name and version, without a word if none fits.

    The archive's model-config.yaml still comes first for each of these.
    """
    version = {
        "defaultVersion": True,
        "marName": mar_path.name,
        "minWorkers": sizing.workers,
        "maxWorkers": sizing.workers,
        "batchSize": sizing.batch_size,
        "maxBatchDelay": sizing.max_batch_delay_ms,
        "responseTimeout": RESPONSE_TIMEOUT_SECONDS,
        "startupTimeout": RESPONSE_TIMEOUT_SECONDS,
    }
    return json.dumps({manifest.model_name: {manifest.model_version: version}})
