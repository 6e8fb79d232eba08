"""Limits of control groups as the kernel writes them, in folders laid out like its own."""

import os
from pathlib import Path

import pytest

from vertex_torchserve.serving.machine.limits import Machine, usable_cores, usable_memory

GIB = 1024**3


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "proc" / "meminfo", "MemTotal:       16777216 kB\nMemFree:        1000 kB\n")
    return tmp_path


@pytest.fixture
def many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_limits(root: Path, many_cores: None) -> None:
    assert (usable_cores(root), usable_memory(root)) == (8, 16 * GIB)


def test_version_2_in_a_container(root: Path, many_cores: None) -> None:
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/cpu.max", "250000 100000\n")
    write(root / "sys/fs/cgroup/memory.max", "2147483648\n")
    assert (usable_cores(root), usable_memory(root)) == (2, 2 * GIB)


def test_version_2_takes_the_smallest_of_nested_groups(root: Path, many_cores: None) -> None:
    write(root / "proc/self/cgroup", "0::/pod/container\n")
    write(root / "sys/fs/cgroup/pod/cpu.max", "300000 100000\n")
    write(root / "sys/fs/cgroup/pod/container/cpu.max", "max 100000\n")
    write(root / "sys/fs/cgroup/pod/memory.max", "1073741824\n")
    write(root / "sys/fs/cgroup/pod/container/memory.max", "max\n")
    assert (usable_cores(root), usable_memory(root)) == (3, 1 * GIB)


def test_version_1_with_a_path_of_the_host(root: Path, many_cores: None) -> None:
    write(
        root / "proc/self/cgroup", "9:cpu,cpuacct:/docker/1f\n8:memory:/docker/1f\n1:name=systemd:/\n0::/x\n"
    )
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n")
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "3221225472\n")
    assert (usable_cores(root), usable_memory(root)) == (4, 3 * GIB)


def test_version_1_without_limits(root: Path, many_cores: None) -> None:
    write(root / "proc/self/cgroup", "9:cpu,cpuacct:/\n8:memory:/\n")
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    write(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert (usable_cores(root), usable_memory(root)) == (8, 16 * GIB)


def test_less_than_one_core_is_one(root: Path, many_cores: None) -> None:
    write(root / "proc/self/cgroup", "0::/\n")
    write(root / "sys/fs/cgroup/cpu.max", "50000 100000\n")
    assert usable_cores(root) == 1


def test_this_machine() -> None:
    here = Machine.here()
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert here.memory_bytes > GIB // 4
