"""Make the kit: build/gpu-proof/, to carry to a machine with a GPU and no network.

    python -m benchmarks.gpu_proof.kit [--out FOLDER] [--python 3.12 ...]

It has this checkout's wheel, TorchServe's, a Java runtime, the Java libraries, all-MiniLM-L6-v2, the other
packages that the proof needs, and the program; the tiny models and the Llama are made there, from their
seeds. torch with CUDA is that machine's own. README.txt beside the parts says what to do with them.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.gpu_proof.kit.pack import MIB, NAME, make_folder, write_parts

OUT = Path("build") / NAME
PYTHONS = ("3.11", "3.12", "3.13")


def main() -> int:
    """Make it and say what it is."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_proof.kit", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"where it goes (default {OUT})")
    parser.add_argument(
        "--python",
        action="append",
        metavar="VERSION",
        help=f"of that machine; may be repeated (default {', '.join(PYTHONS)})",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gpu-proof-") as work:
        folder = Path(work) / NAME
        make_folder(folder, options.python or PYTHONS)
        parts = write_parts(folder, options.out)
    for part in parts:
        sys.stdout.write(f"{part}: {part.stat().st_size / MIB:.1f} MiB\n")
    sys.stdout.write((options.out / "README.txt").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
