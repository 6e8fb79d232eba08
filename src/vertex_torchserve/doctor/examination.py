"""All checks of this machine, and which of them must pass."""

from collections.abc import Callable, Collection

from vertex_torchserve.doctor.docker_check import check_docker
from vertex_torchserve.doctor.finding import Finding, State
from vertex_torchserve.doctor.google_check import check_google
from vertex_torchserve.doctor.gpu_check import check_gpu
from vertex_torchserve.doctor.java_check import check_java
from vertex_torchserve.doctor.network_check import check_network
from vertex_torchserve.doctor.python_check import check_python
from vertex_torchserve.errors import Problem, raise_problems

# Each is given the project and the region.
_CHECKS: dict[str, Callable[[str | None, str | None], list[Finding]]] = {
    "python": lambda _project, _location: check_python(),
    "java": lambda _project, _location: check_java(),
    "docker": lambda _project, _location: check_docker(),
    "gpu": lambda _project, _location: check_gpu(),
    "google": check_google,
    "network": lambda _project, location: check_network(location),
}
CHECKS = tuple(_CHECKS)


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
    found = {name: check(project, location) for name, check in _CHECKS.items()}
    well = not any(finding.state is State.MISSING for name in needed for finding in found[name])
    return found, well
