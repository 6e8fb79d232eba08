"""Write TorchServe's `config.properties`: the file beside this module, with the values of this start."""

from pathlib import Path

from vertex_torchserve.serving.archive.unpacking import ModelFolder
from vertex_torchserve.serving.machine.sizing import Sizing
from vertex_torchserve.serving.settings import ServingSettings

_OF_THE_ENVELOPE = ("service_envelope", "decode_input_request")
_BASE = Path(__file__).with_name("config.properties")


def base_properties() -> dict[str, str]:
    """The keys and values of the file that every start begins with."""
    lines = [line for line in _BASE.read_text().splitlines() if line and not line.startswith("#")]
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def max_body_bytes() -> int:
    """The most bytes that the body of a request, or of an answer, may have."""
    return int(base_properties()["max_response_size"])


def render_config_properties(
    settings: ServingSettings, sizing: Sizing, model: ModelFolder, envelope: str
) -> str:
    """The text of `config.properties`; how the model is served is in its own file (model_config_file.py).

    Args:
        settings: Ports, host and limits.
        sizing: Workers, batches and threads.
        model: The unpacked archive, served under the name in its manifest, whatever the file's.
        envelope: One of `settings.ENVELOPES`; with `none` TorchServe has its own defaults.
    """
    known: dict[str, object] = {
        "inference_address": f"http://{settings.http_host}:{settings.http_port}",
        "management_address": f"http://127.0.0.1:{settings.management_port}",
        "metrics_address": f"http://127.0.0.1:{settings.metrics_port}",
        "number_of_netty_threads": sizing.netty_threads,
        "netty_client_threads": sizing.workers,
        "job_queue_size": settings.queue_size,
        "model_store": model.path.parent,
        "load_models": f"{model.manifest.model_name}={model.path.name}",
    }
    left_out = _OF_THE_ENVELOPE if envelope == "none" else ()
    return "".join(
        f"{key}={value}\n" for key, value in (base_properties() | known).items() if key not in left_out
    )


def response_timeout_seconds(settings: ServingSettings) -> int:
    """Seconds after which TorchServe ends a worker that does not answer, and starts another.

    Clearly later than the 504 that each request gets (AnswerDeadline.java): a worker that is only slow is not
    killed.
    """
    return 2 * settings.request_timeout_seconds + 60
