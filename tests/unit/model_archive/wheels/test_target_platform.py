"""Which wheels run on a platform, and which requirements pip reads otherwise here."""

import pytest

from vertex_torchserve.model_archive.wheels.target_platform import TargetPlatform, read_otherwise


def test_wheels_of_an_older_glibc_run_there() -> None:
    assert TargetPlatform("3.11", "manylinux_2_18_aarch64").tags == [
        *(f"manylinux_2_{minor}_aarch64" for minor in (18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5)),
        "manylinux2014_aarch64",
        "manylinux2010_aarch64",
        "manylinux1_aarch64",
        "linux_aarch64",
    ]


@pytest.mark.parametrize(
    ("requirement", "is_read_otherwise"),
    [
        ("tomli", False),
        ("tomli; sys_platform == 'win32'", False),
        ("tomli; platform_machine == 'riscv'", True),
        ("tomli; python_version < '3.6'", True),
        ("tomli; python_version < '3.6' and extra == 'toml'", False),
    ],
)
def test_a_marker_that_is_true_there_alone(requirement: str, is_read_otherwise: bool) -> None:
    there = {"python_version": "3.5", "platform_machine": "riscv", "sys_platform": "linux"}
    assert read_otherwise([requirement], there) == ([requirement] if is_read_otherwise else [])
