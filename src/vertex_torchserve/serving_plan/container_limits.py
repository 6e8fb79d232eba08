"""What a container engine holds a container to: the machine it has, and what it may do."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from vertex_torchserve.errors import Problem

_GPUS = re.compile(r"all|[1-9]\d*|device=[\w,.:-]+")
# As docker reads it: a number, and b, k, m or g for the unit.
_MEMORY = re.compile(r"\d+(\.\d+)?[bkmgBKMG]?")
_USER = re.compile(r"\w[\w.-]*(:\w[\w.-]*)?")


@dataclass(frozen=True)
class ContainerLimits:
    """Limits of one container; what is not given is left to the engine and the image.

    Attributes:
        gpus: `all`, a number, or `device=...`, as docker's `--gpus` takes it.
        memory: Such as `7.5g`; b, k, m and g are powers of 1024 bytes.
        cpus: Cores, such as 2 or 0.5.
        network: `none`: the container reaches nothing outside.
        read_only: Its root can't be written; /tmp can.
        user: A name or a number, and after a colon a group's.
    """

    gpus: str | None = None
    memory: str | None = None
    cpus: float | None = None
    network: str | None = None
    read_only: bool = False
    user: str | None = None

    def given(self) -> list[str]:
        """The options that were given, as the command line spells them."""
        return [
            f"--{item.name.replace('_', '-')}"
            for item in fields(self)
            if getattr(self, item.name) not in (None, False)
        ]

    def problems(self) -> Iterator[Problem]:
        """What no container engine would accept."""
        accepted = (
            ("gpus", self.gpus, _GPUS, "`all`, a number from 1 on, or `device=0,1`", "1"),
            ("memory", self.memory, _MEMORY, "a number, and b, k, m or g behind it", "7.5g"),
            ("network", self.network, re.compile("none"), "`none`", "none"),
            ("user", self.user, _USER, "USER or USER:GROUP, names or numbers", "54321:0"),
        )
        for name, value, pattern, words, example in accepted:
            if value is not None and not pattern.fullmatch(value):
                yield Problem(
                    f"--{name} {value!r} is not {words}", f"give --{name} {example}, or leave it out"
                )
        if self.cpus is not None and not 0 < self.cpus < math.inf:
            yield Problem(f"--cpus {self.cpus:g} is not a number of cores above 0", "give --cpus 2, say")

    def docker_options(self) -> list[str]:
        """The options of `docker create` for all but the network, which takes more than an option."""
        options: list[str] = []
        for name, value in (("gpus", self.gpus), ("memory", self.memory), ("user", self.user)):
            if value:
                options += [f"--{name}", value]
        if self.cpus:
            options += ["--cpus", f"{self.cpus:g}"]
        if self.read_only:
            options += ["--read-only", "--tmpfs", "/tmp:exec"]  # noqa: S108 (the container's own)
        return options

    def like_vertex(self) -> "ContainerLimits":
        """The same on the machine that Vertex AI deploys to when it is told nothing: two cores, 7.5 GiB.

        Vertex AI documents no user, no read-only root and no closed network, so these stay as they are. The
        machine is n1-standard-2 (`_DEFAULT_MACHINE_TYPE` in google/cloud/aiplatform/models.py).
        """
        return replace(self, cpus=self.cpus or 2.0, memory=self.memory or "7.5g")
