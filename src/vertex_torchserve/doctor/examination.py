"""All checks of this machine, and which of them must pass."""

from collections.abc import Collection

from vertex_torchserve.doctor.docker_check import check_docker
from vertex_torchserve.doctor.finding import Finding, State
from vertex_torchserve.doctor.google_check import check_google
from vertex_torchserve.doctor.gpu_check import check_gpu
from vertex_torchserve.doctor.java_check import check_java
from vertex_torchserve.doctor.network_check import check_network
from vertex_torchserve.doctor.python_check import check_python
from vertex_torchserve.errors import Problem, raise_problems

CHECKS = ("python", "java", "docker", "gpu", "google", "network")


def examine(
    project: str | None, location: str | None, needed: Collection[str] = ("python", "java")
) -> tuple[dict[str, list[Finding]], bool]:
    """Run every check.

    Args:
        project: Google Cloud project id; that of the credentials when None.
        location: Vertex AI region.
        needed: Names of checks that must pass.

    Returns:
        The findings by check, and whether everything that is needed is there.

    Raises:
        InputError: `needed` names no check.
    """
    raise_problems(
        [
            Problem(f"{name!r} is no check; {', '.join(CHECKS)} are", "give one of these with --need")
            for name in needed
            if name not in CHECKS
        ]
    )
    found = {
        "python": check_python(),
        "java": check_java(),
        "docker": check_docker(),
        "gpu": check_gpu(),
        "google": check_google(project, location),
        "network": check_network(location),
    }
    well = not any(finding.state is State.MISSING for name in needed for finding in found[name])
    return found, well
