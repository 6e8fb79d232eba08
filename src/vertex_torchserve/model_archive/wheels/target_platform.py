"""The Python and the platform that wheels are chosen for where there is no image to ask."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from vertex_torchserve.errors import Problem

# Of this project's images, whose glibc is newer.
DEFAULT_PYTHON = "3.11"
DEFAULT_PLATFORM = "manylinux_2_28_x86_64"
_PYTHON = re.compile(r"3\.\d{1,2}")
_MANYLINUX = re.compile(r"manylinux_2_(?P<minor>\d{1,3})_(?P<machine>x86_64|aarch64)")
# Names of before PEP 600 for three of them.
_OLDER_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


class TargetPlatform(NamedTuple):
    """What wheels are chosen for.

    Attributes:
        python: The version of CPython, `3.11`.
        platform: `manylinux_2_28_x86_64` for glibc 2.28 or later, as in wheels' names (PEP 600).
    """

    python: str = DEFAULT_PYTHON
    platform: str = DEFAULT_PLATFORM

    def problems(self) -> Iterator[Problem]:
        """What is wrong with them."""
        if not _PYTHON.fullmatch(self.python):
            yield Problem(
                f"python {self.python!r} is not a version of Python; 3.NUMBER is accepted",
                f"give the image's, such as {DEFAULT_PYTHON}",
            )
        if not _MANYLINUX.fullmatch(self.platform):
            yield Problem(
                f"platform {self.platform!r} is not one of containers; manylinux_2_NUMBER_x86_64 and "
                "manylinux_2_NUMBER_aarch64 are accepted, the number that of its glibc",
                f"give the image's, such as {DEFAULT_PLATFORM}",
            )

    @property
    def tags(self) -> list[str]:
        """The platforms whose wheels run there: its own, and those of an older glibc."""
        minor, machine = self._parts
        names = [f"manylinux_2_{older}" for older in range(minor, 4, -1)]
        names += [name for older, name in _OLDER_NAMES.items() if older <= minor]
        return [f"{name}_{machine}" for name in [*names, "linux"]]

    @property
    def markers(self) -> Mapping[str, str]:
        """What the markers of requirements (PEP 508) are there."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self._parts[1],
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @property
    def _parts(self) -> tuple[int, str]:
        found = _MANYLINUX.fullmatch(self.platform)
        assert found, "problems() has refused it"  # noqa: S101
        return int(found["minor"]), found["machine"]


def read_otherwise(requirements: Iterable[str], markers: Mapping[str, str]) -> list[str]:
    """The requirements that count there and not here, or the other way round.

    pip reads markers as those of the Python that runs it, whatever platform it is given.

    Args:
        requirements: As packages declare them, such as `tomli; python_version < "3.11"`.
        markers: What the markers of requirements are there.
    """
    from packaging.requirements import Requirement

    found = []
    for text in requirements:
        marker = Requirement(text).marker
        if marker is not None:
            here, there = marker.evaluate({"extra": ""}), marker.evaluate({**markers, "extra": ""})
            if here != there:
                found.append(text)
    return found
