"""A deployed model: it becomes ready, predicts and stops, whatever serves it."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from vertex_torchserve.emulator.containers.container import Container, Place
from vertex_torchserve.emulator.containers.serving import Launcher
from vertex_torchserve.emulator.registry.model_registry import ModelVersion
from vertex_torchserve.emulator.rest.request import Answer, Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError
from vertex_torchserve.errors import ServingError

# A request of a batch job may take as long as one to a shared endpoint.
REQUEST_SECONDS = 60.0
# httpcore's name of the moment when it has a connection and has sent nothing yet.
_BEFORE_THE_REQUEST = "http11.send_request_headers.started"
# Headers of one connection, or for Google alone: they are not passed on.
_OF_THE_CONNECTION = {
    "authorization",
    "connection",
    "content-length",
    "date",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class ModelServer:
    """One that is started when this object is made.

    Args:
        container: Environment and routes.
        launcher: What starts it.
        log_path: Where its output goes.
    """

    def __init__(self, container: Container, launcher: Launcher, log_path: Path) -> None:
        self._container = container
        self._log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self._serving = launcher.launch(container, log_path)
        self._http = httpx.Client(trust_env=False)
        self._settled = threading.Event()
        self._failure: RpcError | None = None

    @classmethod
    def of(cls, version: ModelVersion, place: Place, launcher: Launcher, log_path: Path) -> "ModelServer":
        """Start the server of a model version, from its image as it was at the upload.

        Args:
            version: The version.
            place: Where it runs.
            launcher: What starts it.
            log_path: Where its output goes.
        """
        container = Container.of(version.resource["containerSpec"], version.artifact_copy, place)
        return cls(replace(container, image=version.image_copy), launcher, log_path)

    def become_ready(self) -> None:
        """Wait until it may get traffic; stop it when that fails.

        Raises:
            RpcError: FAILED_PRECONDITION with the last error of the log.
        """
        try:
            self._serving.become_ready(self._container.deployment_seconds)
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

    def predictions(
        self, instances: list[object], parameters: object = None, *, timeout_seconds: float = REQUEST_SECONDS
    ) -> list[object] | Json:
        """One prediction for each instance, or one object: the completion that answers one chat.

        `parameters` are sent only when given.

        Raises:
            RpcError: As `raw` does; with the container's own status when it answers anything but 200;
                INTERNAL when the answer is not `{"predictions": [...]}` with as many as there were instances.
        """
        body: Json = {"instances": instances}
        if parameters is not None:
            body["parameters"] = parameters
        headers = {"Content-Type": "application/json"}
        with self._posted(json.dumps(body).encode(), headers, timeout_seconds) as answer:
            answer.read()
        if not answer.is_success:
            raise RpcError.of_http(answer.status_code, answer.text)
        try:
            predictions = answer.json()["predictions"]
        except (ValueError, KeyError, TypeError):
            predictions = None
        if isinstance(predictions, dict) and len(instances) == 1:
            return predictions
        if not isinstance(predictions, list) or len(predictions) != len(instances):
            raise RpcError(
                "INTERNAL",
                f"The model server's answer to {len(instances)} instances is not a JSON object whose "
                "'predictions' is a list of as many.",
            )
        return predictions

    def raw(self, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Answer:
        """Post any body to the predict route; the answer as it comes, whatever its status.

        Args:
            body: What the client sent.
            headers: The client's; those of its connection and its credentials stay here.
            timeout_seconds: How long the container may take for each piece of its answer.

        Raises:
            RpcError: UNAVAILABLE when the server isn't ready or is gone, DEADLINE_EXCEEDED after the time.
        """
        # A client that names no coding gets none.
        sent = {"accept-encoding": "identity", **_passed_on(headers)}
        with ExitStack() as opened:
            answer = opened.enter_context(self._posted(body, sent, timeout_seconds))
            pieces = _until_closed(answer.iter_raw(), opened.pop_all())
            return Answer(answer.status_code, pieces, _passed_on(answer.headers))

    def stop(self) -> None:
        """End the server and everything it started; a request that comes later is UNAVAILABLE.

        Does nothing the second time.
        """
        self._failure = self._failure or RpcError("UNAVAILABLE", "The model server was stopped.")
        self._settled.set()
        self._serving.stop()
        self._http.close()

    @contextmanager
    def _posted(
        self, body: bytes, headers: Mapping[str, str], timeout_seconds: float
    ) -> Iterator[httpx.Response]:
        """The answer to a request, of which only status and headers have come."""
        if not self._settled.wait(timeout_seconds):
            raise RpcError("UNAVAILABLE", "The model server is still starting.")
        if self._failure is not None:
            raise RpcError("UNAVAILABLE", self._failure.message)
        base_url = self._serving.base_url()

        def refuse_another(event: str, info: Mapping[str, object]) -> None:  # noqa: ARG001 (httpcore's form)
            # The connection was waited for: what listens there now may be the next container, not probed yet,
            # or another model's.
            if event == _BEFORE_THE_REQUEST and self._serving.base_url() != base_url:
                raise RpcError("UNAVAILABLE", f"The model server is gone; its log: {self._log_path}")

        try:
            with self._http.stream(
                "POST",
                base_url + self._container.predict_route,
                content=body,
                headers=headers,
                timeout=timeout_seconds,
                extensions={"trace": refuse_another},
            ) as answer:
                yield answer
        except httpx.TimeoutException:
            raise RpcError(
                "DEADLINE_EXCEEDED", f"The model server did not answer in {timeout_seconds:g} seconds."
            ) from None
        except httpx.TransportError as error:
            raise RpcError(
                "UNAVAILABLE", f"The model server is gone ({error}); its log: {self._log_path}"
            ) from None


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_THE_CONNECTION}


def _until_closed(pieces: Iterator[bytes], opened: ExitStack) -> Iterator[bytes]:
    with opened:
        yield from pieces
