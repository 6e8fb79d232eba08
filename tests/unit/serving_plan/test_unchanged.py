"""What was proved is what is sent: a changed archive is refused, another isn't read again."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.archives import write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving_plan import ServingPlan

MIB = 1 << 20


def write_in_place(mar: Path) -> None:
    with mar.open("r+b") as file:
        file.seek(MIB)
        file.write(b"X")


def write_beside(mar: Path) -> None:
    copy = mar.with_name("copy")
    copy.write_bytes(mar.read_bytes().replace(b"weights", b"Weights"))
    copy.replace(mar)


def read_bytes() -> int:
    """How many bytes this process has read, from the disk or from the page cache (proc(5))."""
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.fixture(params=[MIB, 33 * MIB], ids=["small", "large"])
def plan(tmp_path: Path, request: pytest.FixtureRequest) -> ServingPlan:
    weights = b"weights".ljust(request.param, b".")
    return ServingPlan.of(write_archive(tmp_path, files={"ckpt.pt": weights}))


@pytest.mark.parametrize("change", [write_in_place, write_beside])
def test_a_changed_archive_is_refused(plan: ServingPlan, change: Callable[[Path], None]) -> None:
    before = plan.mar_path.stat()
    change(plan.mar_path)
    os.utime(plan.mar_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(InputError, match="has changed since it was looked at"):
        plan.require_unchanged()


def test_one_that_was_only_touched_is_the_same(plan: ServingPlan) -> None:
    plan.mar_path.touch()
    plan.require_unchanged()


def test_a_large_one_whose_digest_is_known_is_not_read(tmp_path: Path) -> None:
    mar = write_archive(tmp_path, files={"ckpt.pt": bytes(33 * MIB)})
    before = read_bytes()
    plan = ServingPlan.of(mar, sha256="0" * 64)
    plan.require_unchanged()
    assert plan.sha256 == "0" * 64
    assert read_bytes() - before < MIB
