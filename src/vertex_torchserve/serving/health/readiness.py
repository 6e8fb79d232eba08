"""Whether the model can answer, by TorchServe's management API: a READY worker has loaded the model.

The same rule as our `/ping` (serving/java), asked from outside. It also works with a stock TorchServe,
whose own `/ping` is 200 "Healthy" from the moment the port is open (measured with 0.12.0).
"""

import json
import urllib.request
from http.client import HTTPException
from typing import Any, NamedTuple

_TIMEOUT_SECONDS = 5.0
# Loopback, whatever proxy the environment names.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Workers(NamedTuple):
    """How far one model is.

    Attributes:
        model_name: The model.
        loaded: How many workers have loaded it.
        wanted: How many it wants; at least one.
    """

    model_name: str
    loaded: int
    wanted: int


def workers_of_models(management_port: int) -> list[Workers]:
    """How far every version of every model is; an empty list also while nothing answers on the port.

    Args:
        management_port: TorchServe's management port on loopback.
    """
    try:
        models: list[dict[str, Any]] = _get(management_port, "/models")["models"]
        return [
            _workers(version)
            for model in models
            for version in _get(management_port, f"/models/{model['modelName']}/all")
        ]
    except (OSError, HTTPException, ValueError):
        return []


def all_models_ready(management_port: int) -> bool:
    """Whether there is a model and every model has all the workers it wants READY."""
    models = workers_of_models(management_port)
    return bool(models) and all(model.loaded >= model.wanted for model in models)


def is_healthy(base_url: str) -> bool:
    """Whether our `/ping` answers 200; false also while nothing answers.

    Args:
        base_url: Where predictions are answered.
    """
    try:
        with _OPENER.open(f"{base_url}/ping", timeout=_TIMEOUT_SECONDS) as response:
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def _workers(version: dict[str, Any]) -> Workers:
    ready = sum(worker["status"] == "READY" for worker in version["workers"])
    # A model whose requirements could not be installed stays registered with no worker at all.
    return Workers(version["modelName"], ready, max(int(version["minWorkers"]), 1))


def _get(management_port: int, path: str) -> Any:
    with _OPENER.open(f"http://127.0.0.1:{management_port}{path}", timeout=_TIMEOUT_SECONDS) as response:
        return json.load(response)
