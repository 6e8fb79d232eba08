"""Ports for servers that are started at the same moment."""

import random
import subprocess
import sys

import pytest

from vertex_torchserve.serving import ports

ONE_OF_THREE = """\
import random, sys
from vertex_torchserve.serving import ports
random.seed(7)
ports._FIRST_PORT, ports._LAST_PORT = int(sys.argv[1]), int(sys.argv[1]) + 2
print(ports.free_ports(1)[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ports are marked on Linux alone")
def test_no_two_processes_are_given_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = ports.free_ports(1)
    last = first + 2
    monkeypatch.setattr(ports, "_FIRST_PORT", first)
    monkeypatch.setattr(ports, "_LAST_PORT", last)
    own = {first, *ports.free_ports(1)}
    for _ in range(3):  # the port of a process that has ended is free again
        answer = subprocess.run(
            [sys.executable, "-c", ONE_OF_THREE, str(first)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert {int(answer.stdout)} == set(range(first, last + 1)) - own


def test_what_a_handler_seeds_chooses_no_port() -> None:
    chosen = []
    for _ in range(3):
        random.seed(7)
        chosen.append(tuple(ports.free_ports(3)))
    assert len(set(chosen)) == 3
