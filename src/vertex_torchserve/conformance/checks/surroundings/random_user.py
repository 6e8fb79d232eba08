"""The server runs as a user that the image does not know."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import SECURE_PODS
from vertex_torchserve.conformance.surroundings import RANDOM_USER, answer_under
from vertex_torchserve.conformance.trial import Trial


@should(SECURE_PODS)
def random_user(trial: Trial) -> str:
    """The server runs as a user that the image does not know.

    Platforms that isolate tenants give each container a user number of its own, of group 0.

    Fix: write to no folder that only the image's user may write to; ask for no user name.
    """
    return answer_under(trial, RANDOM_USER)
