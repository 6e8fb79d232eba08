"""Once the health route has answered 200, a prediction is answered 200 and without a wait for the model."""

from vertex_torchserve.conformance.check import must
from vertex_torchserve.conformance.sources import CUSTOM_CONTAINERS
from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken, NotRun


@must(CUSTOM_CONTAINERS)
def ready_means_ready(trial: Trial) -> str:
    """Once the health route has answered 200, a prediction is answered 200 and without a wait for the model.

    Vertex AI sends requests as soon as the health route says 200; those that come while the model loads are
    lost, or wait: more than 5 s, and ten times as long as a later one, is such a wait.

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
    first, usual = start.answering - start.ready, start.usual
    if first > trial.limits.first and usual is not None and first > 10 * usual:
        raise Broken(f"ready, and the next prediction took {first:.1f} s, a later one {usual:.2f} s")
    return f"the next prediction was answered after {first:.2f} s"
