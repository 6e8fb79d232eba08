"""How large the images are, uncompressed, and the jars in them: ours and stock TorchServe.

    python -m benchmarks.image_size

Docker's own figure. Writes benchmarks/results/image_size.KIND.json and image_size.md.
"""

import argparse
import sys

from benchmarks.contenders import CONTENDERS, OURS, prepare
from benchmarks.published import publish, table
from vertex_torchserve.docker import Container, inspect_image

# The numbers that this project set itself, uncompressed.
MOST_BYTES = 1_400_000_000
MOST_JAR_BYTES = 18_000_000
# The jars that TorchServe's JVM is started with.
_FIND = "find / -xdev -name '*.jar' ! -path '*/java-runtime/*' 2> /dev/null"
_JARS = f"du --bytes --total --dereference $({_FIND}) | tail -n 1"


def main() -> int:
    """Publish the sizes; 1 when ours is too large."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    prepare()
    sizes = {contender.name: int(inspect_image(contender.image)["Size"]) for contender in CONTENDERS}
    jars = {contender.name: jar_bytes(contender.image) for contender in CONTENDERS}
    rows = [(name, f"{size / 1e9:.2f} GB", f"{jars[name] / 1e6:.1f} MB") for name, size in sizes.items()]
    text = (
        f"{table(('', 'uncompressed', 'jars'), rows, numbers=True)}\n\n"
        f"Ours may have {MOST_BYTES / 1e9:g} GB, and {MOST_JAR_BYTES / 1e6:g} MB of jars. "
        "The stock one is built in two stages as ours is, without pip's cache or wheels and with "
        "Debian's Java runtime; TorchServe's own CPU image has 2.4 GB."
    )
    limits = {"most_bytes": MOST_BYTES, "most_jar_bytes": MOST_JAR_BYTES}
    publish("image_size", "Size of the images", limits, {"images": sizes, "jars": jars}, text)
    if sizes[OURS.name] > MOST_BYTES or jars[OURS.name] > MOST_JAR_BYTES:
        sys.stderr.write(f"NOT REACHED: {sizes[OURS.name]} bytes, {jars[OURS.name]} of them jars\n")
        return 1
    return 0


def jar_bytes(image: str) -> int:
    """How large all jars of the image are together, but for those of the Java runtime itself."""
    with Container.run(image, "3600", options=("--entrypoint", "sleep", "--user", "0")) as container:
        return int(container.execute("sh", "-c", _JARS).split()[0])


if __name__ == "__main__":
    raise SystemExit(main())
