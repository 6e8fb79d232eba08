"""Run the proof and write gpu_proof.json and gpu_proof.html.

    python -m benchmarks.gpu_proof [--out FOLDER] [--minutes 10] [--short] [--part NAME ...]

Each part is a process of its own with a deadline; what becomes of it is one entry, and the next part runs.
Both files are written anew after each part, so that they hold what was found when the program is ended. Ends
with 1 when a part found something wrong, failed or ran out of time.
"""

import argparse
import json
import os
import sys
from pathlib import Path

OUT = Path("build/gpu-proof-results")


def main() -> int:
    """Run all parts, or be one of them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_proof", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"where both files go (default {OUT})")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all parts together (default 10)")
    parser.add_argument("--short", action="store_true", help="measure little, to see that the program works")
    parser.add_argument("--part", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--be", nargs=3, metavar=("MODULE", "FILE", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_PROGRESS_BARS="1", TOKENIZERS_PARALLELISM="true")
    if options.be:
        from benchmarks.gpu_proof.own_process import found_by

        module, file, rows = options.be
        Path(file).write_text(json.dumps(found_by(module, Path(rows), short=options.short).as_json()))
        return 0
    from benchmarks.gpu_proof.run import run_parts

    return run_parts(options.out, options.part, options.minutes, short=options.short)


if __name__ == "__main__":
    sys.exit(main())
