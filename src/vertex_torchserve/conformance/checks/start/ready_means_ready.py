"""The first prediction after the first 200 of the health route is answered 200."""

from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken, NotRun


@must(CUSTOM_CONTAINERS)
def ready_means_ready(trial: Trial) -> str:
    """The first prediction after the first 200 of the health route is answered 200.

    Vertex AI sends requests as soon as the health route says 200; those that come while the model loads are
    lost.

    Fix: answer 503 on the health route until the model has answered once; look at `--instances` when the
    model refuses what it was sent.
    """
    start = trial.start
    if start.ready is None:
        raise NotRun("it was never ready")
    if start.answering is None:
        raise Broken(f"ready after {start.ready:.1f} s, and {start.failure()}")
    if not start.first_prediction.startswith("200"):
        late = start.answering - start.ready
        raise Broken(
            f"ready, and the next prediction got {start.first_prediction}; 200 came {late:.1f} s later"
        )
    return f"a prediction was answered in {start.answering - start.ready:.2f} s after that"
