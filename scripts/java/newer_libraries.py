"""Say which of the locked Java libraries have a newer version in Maven Central.

    python -m scripts.java.newer_libraries

Exit code 1 when one has, 69 when Maven Central can't be reached. Only patches count, which differ from the
locked version behind its second number: 4.2.18 is a patch of 4.2.13, and 4.3.0 another matter.
"""

import re
import sys
import urllib.request

from vertex_torchserve.serving.java_libraries.download import MAVEN_CENTRAL
from vertex_torchserve.serving.java_libraries.lock import Artifact, read_lock

# sysexits.h: the service is unavailable.
UNAVAILABLE = 69
_WAIT_SECONDS = 30
# Of the numbers of a version, how many stay the same in a patch of it.
_SAME = 2


def main() -> int:
    """Print them; returns the exit code."""
    newer = []
    try:
        for artifact in read_lock().artifacts:
            newest = newest_patch(artifact.version, versions(artifact))
            if newest != artifact.version:
                newer.append(f"{artifact.name} {artifact.version}: {newest}")
    except OSError as error:
        sys.stderr.write(f"NOT DONE: {MAVEN_CENTRAL} can't be reached: {error}\n")
        return UNAVAILABLE
    sys.stdout.write("".join(f"{line}\n" for line in newer))
    return 1 if newer else 0


def versions(artifact: Artifact) -> list[str]:
    """All versions that Maven Central has of the artifact."""
    folder = artifact.maven_path.rsplit("/", 2)[0]
    address = f"{MAVEN_CENTRAL}/{folder}/maven-metadata.xml"
    with urllib.request.urlopen(address, timeout=_WAIT_SECONDS) as answer:  # noqa: S310 - https
        return re.findall(r"<version>([^<]+)</version>", answer.read().decode())


def newest_patch(locked: str, known: list[str]) -> str:
    """The newest of the known versions that differs from the locked one in its last numbers alone."""
    shape = re.sub(r"\d+", "#", locked)
    candidates = [
        version
        for version in (*known, locked)
        if re.sub(r"\d+", "#", version) == shape and _numbers(version)[:_SAME] == _numbers(locked)[:_SAME]
    ]
    return max(candidates, key=_numbers)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


if __name__ == "__main__":
    sys.exit(main())
