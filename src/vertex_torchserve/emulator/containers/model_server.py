"""A TorchServe process in place of a model's container: it becomes ready, predicts and stops.

The one module of the emulator that imports how models are served.
"""

import json
import threading
import time
from pathlib import Path

import httpx

from vertex_torchserve.emulator.containers.container import Container
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.errors import ServingError
from vertex_torchserve.serving.local_server import ServingProcess

# A request to a shared public endpoint may take 60 s (Vertex AI, choose an endpoint type).
REQUEST_SECONDS = 60.0
# How long Vertex AI waits is not documented; TorchServe on a laptop is ready within seconds.
READY_SECONDS = 600.0
# Vertex AI asks four times, ten seconds apart; on loopback one second is enough.
_HEALTH_CHECKS = 4
_HEALTH_PAUSE_SECONDS = 1.0


class ModelServer:
    """A TorchServe process, started when this object is made.

    Args:
        container: Environment and routes.
        storage_url: STORAGE_EMULATOR_HOST for the process.
        log_path: Where its output goes.
    """

    def __init__(self, container: Container, storage_url: str, log_path: Path) -> None:
        self._container = container
        self._log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        environment = {**container.environment, "STORAGE_EMULATOR_HOST": storage_url}
        # The server refuses to start without the accelerator that this variable names, and none is emulated.
        environment.pop("AIP_ACCELERATOR_TYPE", None)
        self._process = ServingProcess(environment, log_path=log_path)
        self._http = httpx.Client(base_url=self._process.base_url, timeout=REQUEST_SECONDS, trust_env=False)
        self._settled = threading.Event()
        self._failure: RpcError | None = None

    def become_ready(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Wait until the model is loaded and the health route answers 200; stop it when that fails.

        Raises:
            RpcError: FAILED_PRECONDITION with the last error of the log.
        """
        try:
            self._process.wait_ready(timeout_seconds)
            self._check_health()
        except ServingError as error:
            self._failure = RpcError(
                "FAILED_PRECONDITION",
                "Model server never became ready. Please validate that your model file or container "
                f"configuration are valid. Model server log: {self._log_path}\n{error.message}",
            )
            self.stop()
            raise self._failure from error
        finally:
            self._settled.set()

    def predict(self, body: bytes, content_type: str = "application/json") -> httpx.Response:
        """Post `body` to the predict route; the answer as it came, whatever its status.

        Raises:
            RpcError: UNAVAILABLE when the server isn't ready or is gone, DEADLINE_EXCEEDED after 60 s.
        """
        if not self._settled.wait(REQUEST_SECONDS):
            raise RpcError("UNAVAILABLE", "The model server is still starting.")
        if self._failure is not None:
            raise RpcError("UNAVAILABLE", self._failure.message)
        try:
            return self._http.post(
                self._container.predict_route, content=body, headers={"Content-Type": content_type}
            )
        except httpx.TimeoutException:
            raise RpcError(
                "DEADLINE_EXCEEDED", f"The model server did not answer in {REQUEST_SECONDS:g} seconds."
            ) from None
        except httpx.TransportError as error:
            raise RpcError(
                "UNAVAILABLE", f"The model server is gone ({error}); its log: {self._log_path}"
            ) from None

    def predictions(self, instances: list[object], parameters: object = None) -> list[object]:
        """One prediction for each instance; `parameters` are sent only when given.

        Raises:
            RpcError: With the container's own status when it answers anything but 200; INTERNAL when
                the answer is not `{"predictions": [...]}` with as many as there were instances.
        """
        body: Json = {"instances": instances}
        if parameters is not None:
            body["parameters"] = parameters
        answer = self.predict(json.dumps(body).encode())
        if not answer.is_success:
            raise RpcError.of_http(answer.status_code, answer.text)
        try:
            predictions = answer.json()["predictions"]
        except (ValueError, KeyError, TypeError):
            predictions = None
        if not isinstance(predictions, list) or len(predictions) != len(instances):
            raise RpcError(
                "INTERNAL",
                f"The model server's answer to {len(instances)} instances is not a JSON object whose "
                "'predictions' is a list of as many.",
            )
        return predictions

    def stop(self) -> None:
        """End the process and everything it started; a `predict` that waits raises UNAVAILABLE.

        Does nothing the second time.
        """
        self._failure = self._failure or RpcError("UNAVAILABLE", "The model server was stopped.")
        self._settled.set()
        self._process.stop()
        self._http.close()

    def _check_health(self) -> None:
        route = self._container.health_route
        outcome = ""
        for attempt in range(_HEALTH_CHECKS):
            if attempt:
                time.sleep(_HEALTH_PAUSE_SECONDS)
            try:
                status = self._http.get(route).status_code
            except httpx.TransportError as error:
                outcome = str(error)
                continue
            if status == 200:
                return
            outcome = f"status {status}"
        raise ServingError(
            f"the health route {route} answered {outcome} {_HEALTH_CHECKS} times; 200 is accepted"
        )
