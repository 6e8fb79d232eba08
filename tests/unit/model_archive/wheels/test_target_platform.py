"""Which wheels run on a platform, and which requirements pip reads otherwise here."""

import pytest

from vertex_torchserve.model_archive.wheels.target_platform import TargetPlatform, read_otherwise


def test_wheels_of_an_older_glibc_run_there() -> None:
    assert TargetPlatform("3.11", "manylinux_2_18_aarch64").tags == [
        "manylinux_2_18_aarch64", "manylinux_2_17_aarch64", "manylinux_2_16_aarch64", "manylinux_2_15_aarch64",
        "manylinux_2_14_aarch64", "manylinux_2_13_aarch64", "manylinux_2_12_aarch64", "manylinux_2_11_aarch64",
        "manylinux_2_10_aarch64", "manylinux_2_9_aarch64", "manylinux_2_8_aarch64", "manylinux_2_7_aarch64",
        "manylinux_2_6_aarch64", "manylinux_2_5_aarch64", "manylinux2014_aarch64", "manylinux2010_aarch64",
        "manylinux1_aarch64", "linux_aarch64",
    ]  # fmt: skip


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
    class Elsewhere(TargetPlatform):
        markers = {"python_version": "3.5", "platform_machine": "riscv", "sys_platform": "linux"}

    assert read_otherwise([requirement], Elsewhere()) == ([requirement] if is_read_otherwise else [])
