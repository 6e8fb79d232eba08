"""The machine as benchmarks name it, from texts of /proc/cpuinfo."""

from benchmarks.machine import described, instruction_sets, kind, machine, named

XEON = """\
processor	: 0
vendor_id	: GenuineIntel
model name	: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags		: fpu avx fma avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 amx_tile amx_int8

processor	: 1
model name	: another
flags		: fpu
"""
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd asimddp sve i8mm bf16\nCPU part\t: 0xd40\n"


def test_the_first_core_s_name_and_instruction_sets() -> None:
    assert named(XEON) == "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"
    assert instruction_sets(XEON) == [
        "AVX", "AVX2", "FMA", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16", "AMX BF16", "AMX INT8",
    ]  # fmt: skip


def test_arm_has_features_and_no_name() -> None:
    assert named(ARM) == ""
    assert instruction_sets(ARM) == ["NEON", "NEON dot product", "SVE", "I8MM", "BF16"]


def test_in_words() -> None:
    found = {"cpu": "A CPU", "instruction_sets": ["AVX2", "FMA"], "cores": 2, "system": "Linux x86_64"}
    assert described(found) == "2 cores of A CPU (AVX2, FMA), Linux x86_64"
    assert described({**found, "instruction_sets": []}).startswith(
        "2 cores of A CPU (instruction sets not recorded)"
    )


def test_the_kind_is_the_widest_set_and_the_accelerator() -> None:
    assert kind({"instruction_sets": instruction_sets(XEON)}) == "AMX INT8"
    assert kind({"instruction_sets": ["AVX", "AVX2", "FMA", "AVX-512", "AVX-512 BF16"]}) == "AVX-512"
    assert kind({"instruction_sets": ["AVX2"], "device": "NVIDIA H100"}) == "AVX2, NVIDIA H100"
    assert kind({"instruction_sets": []}) == "not recorded"


def test_this_machine_has_all_of_it() -> None:
    found = machine()
    assert set(found) == {"cpu", "instruction_sets", "cores", "system"}
    assert found["cpu"]
    assert found["cores"] >= 1
