"""The same server under conditions that it does not choose."""

from dataclasses import replace

from vertex_torchserve.conformance.trial import Trial
from vertex_torchserve.conformance.verdict import Broken
from vertex_torchserve.serving_plan import ContainerLimits

RANDOM_USER = ContainerLimits(user="54321:0")
READ_ONLY_ROOT = ContainerLimits(read_only=True)
NO_NETWORK = ContainerLimits(network="none")
ALL = ContainerLimits(user=RANDOM_USER.user, read_only=True, network=NO_NETWORK.network)


def answer_under(trial: Trial, limits: ContainerLimits) -> str:
    """Say when the server answers a prediction whose container is held to some limits.

    It is tried under all limits at once; what answers then answers under each. Otherwise it is tried under
    these alone.

    Args:
        trial: Has the server.
        limits: One of the above.

    Raises:
        Broken: When it does not.
        NotRun: When the server doesn't answer anyway, or the limits can't be set.
    """
    together = trial.start_under(ALL)
    if together is not None and together.answering is not None:
        return f"a prediction was answered after {together.answering:.1f} s, under all three limits at once"
    with trial.started(replace(trial.conditions, limits=limits)) as start:
        if start.answering is None:
            raise Broken(start.failure())
        return f"a prediction was answered after {start.answering:.1f} s"
