"""The startup and health probes of this project's serving images.

Images are told apart by their names (`is_serving_image`). One of ours under another name gets no probes:
Vertex AI then asks its health route, which gives the same answer, from the start, while the model loads. An
image of somebody else's that is named like one of ours but lacks the probe's program never becomes ready; it
needs another name, or probes of its own.
"""

from vertex_torchserve.serving.image_names import is_serving_image
from vertex_torchserve.serving.probe import PROBE_COMMAND, WAIT_OPTION
from vertex_torchserve.serving_plan.probe import Probe

# Vertex AI gives a container up when its startup probe has failed three times, if it isn't told another
# number (Probe.failure_threshold in google/cloud/aiplatform_v1/types/model.py). The probe's program ends as
# soon as the model is ready, or after this wait; three waits make the hour that TorchServe has to load a
# model (STARTUP_TIMEOUT_SECONDS).
STARTUP_WAIT_SECONDS = 1200
# Longer than the wait, so that the program ends by itself and logs why the model is not ready.
_STARTUP_TIMEOUT_SECONDS = STARTUP_WAIT_SECONDS + 30
# Vertex AI asks a health route every 10 s too. The timeout must not be shorter than the period
# (Probe.timeout_seconds, same file).
_PERIOD_SECONDS = 10
_HEALTH_TIMEOUT_SECONDS = 10

STARTUP_PROBE = Probe.running(
    (*PROBE_COMMAND, WAIT_OPTION, str(STARTUP_WAIT_SECONDS)),
    period_seconds=_PERIOD_SECONDS,
    timeout_seconds=_STARTUP_TIMEOUT_SECONDS,
)
HEALTH_PROBE = Probe.running(
    PROBE_COMMAND, period_seconds=_PERIOD_SECONDS, timeout_seconds=_HEALTH_TIMEOUT_SECONDS
)


def probes_of(image: str) -> tuple[Probe | None, Probe | None]:
    """Startup and health probe of an image: those of this project's own, none of another.

    Which programs another image holds is unknown, so Vertex AI asks its health route.
    """
    return (STARTUP_PROBE, HEALTH_PROBE) if is_serving_image(image) else (None, None)
