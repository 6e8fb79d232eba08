"""What this process really has: cores, memory and GPUs, by the limits in force and not by the host's size."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vertex_torchserve.serving.machine.gpus import usable_gpus


@dataclass(frozen=True)
class Machine:
    """The part of a machine that may be used.

    Attributes:
        cores: Whole cores, at least 1: the CPU affinity, or the CFS quota of the control group when less.
        memory_bytes: The smallest memory limit of the control groups above, or all of the memory.
        gpus: How many GPUs TorchServe will find.
    """

    cores: int
    memory_bytes: int
    gpus: int

    @classmethod
    def here(cls) -> "Machine":
        """This machine, as this process may use it."""
        return cls(cores=usable_cores(), memory_bytes=usable_memory(), gpus=usable_gpus(os.environ))


def usable_cores(root: Path = Path("/")) -> int:
    """Whole cores by the CPU affinity and the quotas of the control groups.

    Args:
        root: Where `proc` and `sys` are.
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        allowed = os.cpu_count() or 1
    quotas = [quota for folder in _groups(root, "cpu") if (quota := _cpu_quota(folder)) is not None]
    return max(1, int(min([allowed, *quotas])))


def usable_memory(root: Path = Path("/")) -> int:
    """Bytes, by the memory limits of the control groups and the machine's own size.

    Args:
        root: Where `proc` and `sys` are.
    """
    limits = [
        int(text)
        for folder in _groups(root, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (text := _text(folder / name)).isdecimal()  # "max" is no limit
    ]
    return min([_physical_memory(root), *limits])


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the control groups this process is in, innermost first, version 2 and version 1.

    Inside a container the path may be the host's, and only the root of the mount is to be seen.
    """
    mount = root / "sys" / "fs" / "cgroup"
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            base = mount
        elif controller in controllers.split(","):
            base = mount / controller
        else:
            continue
        group = base / path.lstrip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(base))


def _cpu_quota(folder: Path) -> float | None:
    """Cores, by `cpu.max` (version 2) or `cpu.cfs_quota_us` and `cpu.cfs_period_us` (version 1)."""
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    # "max", and -1, are no limit.
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _physical_memory(root: Path) -> int:
    for line in _text(root / "proc" / "meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
