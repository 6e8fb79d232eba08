"""How large the images are, uncompressed: ours and stock TorchServe.

    python -m benchmarks.image_size

Docker's own figure. Writes benchmarks/results/image_size.json and image_size.md.
"""

import argparse
import sys

from benchmarks.contenders import CONTENDERS, OURS, prepare
from benchmarks.published import publish, table
from vertex_torchserve.docker import inspect_image

# The number that this project set itself, uncompressed.
MOST_BYTES = 1_400_000_000


def main() -> int:
    """Publish the sizes; 1 when ours is too large."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    prepare()
    sizes = {contender.name: int(inspect_image(contender.image)["Size"]) for contender in CONTENDERS}
    rows = [(name, f"{size / 1e9:.2f} GB") for name, size in sizes.items()]
    text = (
        f"{table(('', 'uncompressed'), rows, numbers=True)}\n\n"
        f"Ours may have {MOST_BYTES / 1e9:g} GB. The stock one is built in two stages as ours is, without "
        "pip's cache or wheels and with Debian's Java runtime; TorchServe's own CPU image has 2.4 GB."
    )
    publish("image_size", "Size of the images", {"most_bytes": MOST_BYTES}, sizes, text)
    if sizes[OURS.name] > MOST_BYTES:
        sys.stderr.write(f"NOT REACHED: {sizes[OURS.name]} bytes\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
