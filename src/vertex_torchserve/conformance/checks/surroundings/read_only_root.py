"""The server runs with a root file system that can't be written to, and an empty `/tmp` that can."""

from vertex_torchserve.conformance.check import should
from vertex_torchserve.conformance.sources import SECURE_PODS
from vertex_torchserve.conformance.surroundings import READ_ONLY_ROOT, answer_under
from vertex_torchserve.conformance.trial import Trial


@should(SECURE_PODS)
def read_only_root(trial: Trial) -> str:
    """The server runs with a root file system that can't be written to, and an empty `/tmp` that can.

    A container that can't change its own files can't be changed by who breaks into it.

    Fix: write to /tmp alone; set HOME and the caches of libraries to a folder there.
    """
    return answer_under(trial, READ_ONLY_ROOT)
