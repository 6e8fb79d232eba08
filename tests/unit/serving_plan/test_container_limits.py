"""Limits of a container: what they are to docker, what is refused, what Vertex AI's are."""

from typing import Any

import pytest

from vertex_torchserve.serving_plan import ContainerLimits


def test_what_docker_is_told() -> None:
    limits = ContainerLimits(
        gpus="all", memory="7.5g", cpus=2.0, network="none", read_only=True, user="54321:0"
    )
    assert list(limits.problems()) == []
    assert limits.docker_options() == [
        "--gpus", "all", "--memory", "7.5g", "--user", "54321:0", "--cpus", "2",
        "--read-only", "--tmpfs", "/tmp:exec",
    ]  # fmt: skip
    assert limits.given() == ["--gpus", "--memory", "--cpus", "--network", "--read-only", "--user"]
    assert ContainerLimits().given() == ContainerLimits().docker_options() == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"gpus": "0"}, "--gpus '0' is not `all`, a number from 1 on, or `device=0,1`"),
        ({"memory": "7.5 GB"}, "--memory '7.5 GB' is not a number, and b, k, m or g behind it"),
        ({"network": "host"}, "--network 'host' is not `none`"),
        ({"user": "-u"}, "--user '-u' is not USER or USER:GROUP"),
        ({"user": ""}, "--user '' is not USER or USER:GROUP"),
        ({"cpus": 0.0}, "--cpus 0 is not a number of cores above 0"),
        ({"cpus": float("nan")}, "--cpus nan is not a number of cores above 0"),
    ],
)
def test_refused(fields: dict[str, Any], problem: str) -> None:
    (found,) = ContainerLimits(**fields).problems()
    assert problem in found.message


def test_the_machine_of_vertex_ai_unless_another_is_given() -> None:
    assert ContainerLimits(user="1").like_vertex() == ContainerLimits(cpus=2.0, memory="7.5g", user="1")
    assert ContainerLimits(cpus=4.0, memory="15g").like_vertex() == ContainerLimits(cpus=4.0, memory="15g")
