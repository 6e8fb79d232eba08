"""The same server under conditions that it does not choose."""

from dataclasses import replace

from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken
from vertex_torchserve.serving_plan import ContainerLimits


def answer_under(trial: Trial, limits: ContainerLimits) -> str:
    """Start a server whose container is held to some limits; says when it answered a prediction.

    Raises:
        Broken: When it does not.
        NotRun: When the server doesn't answer anyway, or the limits can't be set.
    """
    with trial.started(replace(trial.conditions, limits=limits)) as start:
        if start.answering is None:
            raise Broken(start.failure())
        return f"a prediction was answered after {start.answering:.1f} s"
