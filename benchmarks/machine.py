"""The machine that figures are measured on: its processor, and what it can do at once."""

import os
import platform
from collections.abc import Collection
from pathlib import Path
from typing import Any

# The kernel's names of what makes matrix products fast (flags of /proc/cpuinfo), and what vendors call it.
INSTRUCTION_SETS = {
    "avx": "AVX",
    "avx2": "AVX2",
    "fma": "FMA",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "avx512_fp16": "AVX-512 FP16",
    "amx_bf16": "AMX BF16",
    "amx_int8": "AMX INT8",
    "amx_fp16": "AMX FP16",
    "asimd": "NEON",
    "asimddp": "NEON dot product",
    "sve": "SVE",
    "sve2": "SVE2",
    "i8mm": "I8MM",
    "bf16": "BF16",
}
# What decides which library is the fastest, the widest first; results of one of these are compared.
KINDS = (
    *("AMX INT8", "AVX-512 VNNI", "AVX-512", "AVX-VNNI", "AVX2", "AVX"),
    *("SVE2", "SVE", "NEON dot product", "NEON"),
)
CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """This machine, of JSON types: `cpu`, `instruction_sets`, `cores` that this process may use, `system`."""
    text = CPUINFO.read_text(encoding="utf-8") if CPUINFO.exists() else ""
    return {
        "cpu": named(text) or platform.processor() or "unknown CPU",
        "instruction_sets": instruction_sets(text),
        "cores": usable_cores(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def described(found: dict[str, Any]) -> str:
    """What `machine` found, in one line for readers."""
    sets = ", ".join(found["instruction_sets"]) or "instruction sets not recorded"
    device = f" and {found['device']}" if "device" in found else ""
    return f"{found['cores']} cores of {found['cpu']} ({sets}){device}, {found['system']}"


def kind(found: dict[str, Any]) -> str:
    """The kind of machine that `machine` found: its widest instruction set, and its accelerator."""
    widest = next((name for name in KINDS if name in found["instruction_sets"]), "not recorded")
    return f"{widest}, {found['device']}" if "device" in found else widest


def named(cpuinfo: str) -> str:
    """The processor's name in the text of /proc/cpuinfo; empty where it has none, as on most ARM machines."""
    return _field(cpuinfo, ("model name",))


def instruction_sets(cpuinfo: str) -> list[str]:
    """Those of `INSTRUCTION_SETS` that the text of /proc/cpuinfo lists, by their vendors' names."""
    flags: Collection[str] = _field(cpuinfo, ("flags", "Features")).split()
    return [name for flag, name in INSTRUCTION_SETS.items() if flag in flags]


def usable_cores() -> int:
    """How many cores this process may run on; fewer than the machine's where it is bound to some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _field(cpuinfo: str, names: Collection[str]) -> str:
    """The first core's value of a field, by the first of its names that is there."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in names:
            return value.strip()
    return ""
