"""The startup and health probes of this project's serving images.

Images are told apart by their names (`is_serving_image`). One of ours under another name gets no probes:
Vertex AI then asks its health route, which gives the same answer, from the start, while the model loads. An
image of somebody else's that is named like one of ours but lacks the probe's program never becomes ready; it
needs another name.
"""

from dataclasses import dataclass
from typing import Any

from vertex_torchserve.serving.image_names import is_serving_image
from vertex_torchserve.serving.probe import PROBE_COMMAND, WAIT_OPTION

# Vertex AI gives a container up when its startup probe has failed three times; `Model.upload` can't ask for
# another number (Probe.failure_threshold in google/cloud/aiplatform_v1/types/model.py). The probe's program
# ends as soon as the model is ready, or after this wait; three waits make the hour that TorchServe has to
# load a model (STARTUP_TIMEOUT_SECONDS).
STARTUP_WAIT_SECONDS = 1200
# Longer than the wait, so that the program ends by itself and logs why the model is not ready.
_STARTUP_TIMEOUT_SECONDS = STARTUP_WAIT_SECONDS + 30
# Vertex AI asks a health route every 10 s too. The timeout must not be shorter than the period
# (Probe.timeout_seconds, same file).
_PERIOD_SECONDS = 10
_HEALTH_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class ExecProbe:
    """A command that Vertex AI runs in the container: code 0 means healthy.

    Attributes:
        command: Program and arguments; run in `/` without a shell.
        period_seconds: Seconds from one start to the next.
        timeout_seconds: Seconds after which an attempt has failed; at least `period_seconds`.
    """

    command: tuple[str, ...]
    period_seconds: int
    timeout_seconds: int

    def keyword_arguments(self, kind: str) -> dict[str, Any]:
        """The arguments of `Model.upload` for it.

        Args:
            kind: `startup` or `health`.
        """
        prefix = f"serving_container_{kind}_probe"
        return {
            f"{prefix}_exec": list(self.command),
            f"{prefix}_period_seconds": self.period_seconds,
            f"{prefix}_timeout_seconds": self.timeout_seconds,
        }


STARTUP_PROBE = ExecProbe(
    (*PROBE_COMMAND, WAIT_OPTION, str(STARTUP_WAIT_SECONDS)), _PERIOD_SECONDS, _STARTUP_TIMEOUT_SECONDS
)
HEALTH_PROBE = ExecProbe(PROBE_COMMAND, _PERIOD_SECONDS, _HEALTH_TIMEOUT_SECONDS)


def probes_of(image: str) -> tuple[ExecProbe | None, ExecProbe | None]:
    """Startup and health probe of an image: those of this project's own, none of another.

    Which programs another image holds is unknown, so Vertex AI asks its health route.
    """
    return (STARTUP_PROBE, HEALTH_PROBE) if is_serving_image(image) else (None, None)
