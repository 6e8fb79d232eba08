"""A TorchServe process in a container's place: the images' own entrypoint, without an image."""

import time
from pathlib import Path

import httpx

from vertex_torchserve.emulator.containers.container import Container
from vertex_torchserve.emulator.rest.request import Json
from vertex_torchserve.emulator.rest.rpc_status import RpcError, not_emulated
from vertex_torchserve.errors import ServingError
from vertex_torchserve.resource_rules.prebuilt_containers import is_prebuilt
from vertex_torchserve.serving.image_names import is_serving_image
from vertex_torchserve.serving.local_server import ServingProcess
from vertex_torchserve.serving.probe import PROBE_COMMAND

# Vertex AI asks four times, ten seconds apart; on loopback one second is enough.
_HEALTH_CHECKS = 4
_HEALTH_PAUSE_SECONDS = 1.0
_HEALTH_SECONDS = 10.0


class ProcessLauncher:
    """Starts a process for each model.

    Args:
        storage_url: STORAGE_EMULATOR_HOST of the processes.
    """

    def __init__(self, storage_url: str) -> None:
        self._storage_url = storage_url

    def refuse_unusable(self, spec: Json, artifact_copy: str) -> None:
        """Refuse what only a container of the model's own image could do."""
        image = spec["imageUri"]
        fields = [f"containerSpec.{field}" for field in ("command", "args") if spec.get(field)]
        fields += [
            f"containerSpec.{field}"
            for field in ("startupProbe", "healthProbe", "livenessProbe")
            if field in spec and not _is_of_our_images(spec[field])
        ]
        if not is_serving_image(image) and not is_prebuilt(image):
            fields.insert(0, f"containerSpec.imageUri {image!r} (neither torchserve-cpu nor torchserve-gpu)")
        if not artifact_copy:
            fields.append("A model without artifactUri")
        if fields:
            raise not_emulated(f"Without `--containers`, {', '.join(fields)}")

    def copy_image(self, image: str) -> str:
        """The same name: no image is needed."""
        return image

    def launch(self, container: Container, log_path: Path) -> "ServedProcess":
        """Start one."""
        environment = {**container.environment, "STORAGE_EMULATOR_HOST": self._storage_url}
        # The server refuses to start without the accelerator that this variable names, and none is emulated.
        environment.pop("AIP_ACCELERATOR_TYPE", None)
        process = ServingProcess(environment, log_path=log_path)
        return ServedProcess(process, container.health_route, log_path)


class ServedProcess:
    """One process.

    Args:
        process: The process.
        health_route: Asked for 200 when the process says that it is ready.
        log_path: Where its output goes.
    """

    def __init__(self, process: ServingProcess, health_route: str, log_path: Path) -> None:
        self._process = process
        self._log_path = log_path
        self._health_url = process.base_url + health_route

    def base_url(self) -> str:
        """Where it answers until it ends; its port may be another's afterwards."""
        code = self._process.exit_code()
        if code is not None:
            raise RpcError(
                "UNAVAILABLE",
                f"The model server is gone: it ended with code {code}; its log: {self._log_path}",
            )
        return self._process.base_url

    def become_ready(self, timeout_seconds: float) -> None:
        """Wait until the model is loaded and the health route answers 200."""
        self._process.wait_ready(timeout_seconds)
        outcome = ""
        for attempt in range(_HEALTH_CHECKS):
            if attempt:
                time.sleep(_HEALTH_PAUSE_SECONDS)
            try:
                status = httpx.get(self._health_url, timeout=_HEALTH_SECONDS, trust_env=False).status_code
            except httpx.TransportError as error:
                outcome = str(error)
                continue
            if status == 200:
                return
            outcome = f"status {status}"
        raise ServingError(
            f"the health route {self._health_url} answered {outcome} {_HEALTH_CHECKS} times; 200 is accepted"
        )

    def stop(self) -> None:
        """End the process and everything it started."""
        self._process.stop()


def _is_of_our_images(probe: Json) -> bool:
    """Whether it runs the program that asks what is asked here anyway, when its server is ready."""
    command: list[str] = probe.get("exec", {}).get("command", [])
    return command[: len(PROBE_COMMAND)] == list(PROBE_COMMAND)
