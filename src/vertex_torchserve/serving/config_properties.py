"""Render TorchServe's `config.properties` for one archive.

Starts from the interface document's configuration, with what measurements and TorchServe's source
showed to be needed; Java properties have no inline comments, so the reasons stand here.
"""

from pathlib import Path

from vertex_torchserve.serving.envelope import SERVICE_ENVELOPE
from vertex_torchserve.serving.settings import ServingSettings

# Vertex AI's dedicated endpoints take 10 MB each way; TorchServe's default is 6.5 MB.
MAX_BODY_BYTES = 10 * 1024 * 1024 + 64 * 1024
# The longest a dedicated endpoint waits; at TorchServe's 120 s the worker would be killed first.
RESPONSE_TIMEOUT_SECONDS = 3600


def render_config_properties(settings: ServingSettings, model_name: str, mar_path: Path) -> str:
    """The text of `config.properties`.

    Args:
        settings: Ports and host.
        model_name: The name the archive is served under.
        mar_path: The archive; its folder is the model store, and only this file of it is loaded.
    """
    properties = {
        "inference_address": f"http://{settings.http_host}:{settings.http_port}",
        "management_address": f"http://127.0.0.1:{settings.management_port}",
        "metrics_address": f"http://127.0.0.1:{settings.metrics_port}",
        "number_of_netty_threads": 32,
        "job_queue_size": 1000,
        "model_store": mar_path.parent,
        "load_models": f"{model_name}={mar_path.name}",
        "service_envelope": SERVICE_ENVELOPE,
        # The envelope parses bodies itself: TorchServe would log what it can't parse.
        "decode_input_request": "false",
        "enable_envvars_config": "true",
        "install_py_dep_per_model": "true",
        # One worker unless the archive's model-config.yaml says otherwise: TorchServe's default of one
        # a core multiplies the memory of a large model by the cores.
        "default_workers_per_model": 1,
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
