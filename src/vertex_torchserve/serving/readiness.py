"""Whether the model can answer, by TorchServe's management API: a READY worker has loaded the model.

The same rule as our `/ping` (serving/java), for whoever started the server: it also holds for a stock
TorchServe, whose own `/ping` is 200 "Healthy" from the moment the port is open (measured with 0.12.0).
"""

import json
import urllib.error
import urllib.request
from typing import Any

_TIMEOUT_SECONDS = 5.0


def all_models_ready(management_port: int) -> bool:
    """Whether there is a model and every model has all the workers it wants READY.

    False also while nobody answers on the port.

    Args:
        management_port: TorchServe's management port on loopback.
    """
    try:
        models: list[dict[str, Any]] = _get(management_port, "/models")["models"]
        versions = [
            version
            for model in models
            for version in _get(management_port, f"/models/{model['modelName']}/all")
        ]
    except (urllib.error.URLError, ConnectionError, TimeoutError, ValueError):
        return False
    return bool(versions) and all(_workers_ready(version) for version in versions)


def _workers_ready(version: dict[str, Any]) -> bool:
    ready: int = sum(worker["status"] == "READY" for worker in version["workers"])
    # A model whose requirements could not be installed stays registered with no worker at all.
    return ready >= max(int(version["minWorkers"]), 1)


def _get(management_port: int, path: str) -> Any:
    url = f"http://127.0.0.1:{management_port}{path}"
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
        return json.load(response)
