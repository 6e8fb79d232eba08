"""The startup and health probes of this project's serving images.

Images are told apart by their names (serving_images.py). One of ours under another name gets no probes, and
Vertex AI asks its health route, which tells the truth as well; it then does so from the start, while the
model loads. A foreign image that is named like one of ours and lacks the probe's program never becomes
ready: it needs another name.
"""

from dataclasses import dataclass
from typing import Any

from vertex_torchserve.serving.probe import PROBE_COMMAND, WAIT_OPTION

# An attempt waits for the model by itself, so a fast model is ready at once. A slow one has as long as the
# attempts together: three, which `Model.upload` can't change (Probe.failure_threshold in
# google/cloud/aiplatform_v1/types/model.py), of a third each of the hour that TorchServe gives it to load.
STARTUP_WAIT_SECONDS = 1200
# More than the wait: the probe's own last word is in the log, and no attempt overlaps the next.
_STARTUP_TIMEOUT_SECONDS = STARTUP_WAIT_SECONDS + 30
# Vertex AI's own rhythm for the health route; the API's documentation wants timeout >= period.
_PERIOD_SECONDS = 10
_HEALTH_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class ExecProbe:
    """A command that Vertex AI runs in the container: code 0 means healthy.

    Attributes:
        command: Program and arguments; run in `/` without a shell.
        period_seconds: From one start to the next.
        timeout_seconds: When an attempt has failed; at least `period_seconds`.
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
