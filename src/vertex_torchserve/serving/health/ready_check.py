"""From the opened port to ready: every worker has loaded the model, and the golden request is answered right.

`/ping` says 503 until the ready file exists (`-Dvts.ready.file`, serving/java).
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vertex_torchserve.serving.archive.prediction_request import PredictionRequest
from vertex_torchserve.serving.health.readiness import workers_of_models
from vertex_torchserve.serving.settings import PREDICT_PATH, ServingSettings

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_FIRST_WARNING_SECONDS = 30.0


def ready_file(work: Path) -> Path:
    """The file that says the model passed its check."""
    return work / "ready"


class ReadyCheck:
    """Waits for the workers, sends the golden request, writes the ready file.

    Args:
        settings: Where the server listens.
        model_name: The model that is served.
        golden: The archive's golden requests; none when it has none.
        ready_file: Written once all is well.
        clock: Seconds, as `time.monotonic` counts them.
        before_ready: Called before the file is written.
    """

    def __init__(
        self,
        settings: ServingSettings,
        model_name: str,
        golden: Sequence[PredictionRequest],
        ready_file: Path,
        clock: Callable[[], float] = time.monotonic,
        before_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._management_port = settings.management_port
        self._predict_url = (
            f"http://{_reachable(settings.http_host)}:{settings.http_port}"
            f"{settings.predict_route or PREDICT_PATH + model_name}"
        )
        self._golden = golden
        self._ready_file = ready_file
        self._before_ready = before_ready
        self._clock = clock
        self._began = clock()

    def run(self, ended: threading.Event) -> None:
        """Return once the file is written, or the server has ended.

        Raises:
            ServingError: The golden request was answered wrong.
        """
        if not self._wait_for_workers(ended):
            return
        logger.info("the model is loaded after %.1f s", self._seconds())
        if self._golden:
            logger.info("sending the golden request")
        for number, request in enumerate(self._golden, start=1):
            which = f" {number} of {len(self._golden)}" if len(self._golden) > 1 else ""
            request.check(self._predict_url, f"the golden request{which}")
        self._before_ready()
        self._ready_file.touch()
        logger.info("ready after %.1f s", self._seconds())

    def _wait_for_workers(self, ended: threading.Event) -> bool:
        """Wait until all have loaded the model, with a warning after 30 s, 60 s, 120 s and so on.

        Returns:
            False when the server ended before.
        """
        warn_after = _FIRST_WARNING_SECONDS
        while not ended.wait(_POLL_SECONDS):
            models = workers_of_models(self._management_port)
            if models and all(model.loaded >= model.wanted for model in models):
                return True
            if self._seconds() >= warn_after:
                logger.warning(
                    "the model is still being loaded after %.0f s: %s",
                    warn_after,
                    "; ".join(f"{m.loaded} of {m.wanted} workers have loaded {m.model_name}" for m in models)
                    or "the management API does not answer",
                )
                warn_after *= 2
        return False

    def _seconds(self) -> float:
        """Since TorchServe was started."""
        return self._clock() - self._began


def _reachable(host: str) -> str:
    """An address to reach a server at that listens on `host`."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"[{host}]" if ":" in host else host
