"""Write `serving/java_libraries/classes.list`: what the JVM loads from its start to the end of a server.

    make java-classes

The archive of classes is made from it (`class_archive.py`). Our own jar's classes are not in it: the jar
changes more often than the libraries, and is small. Run it when a library or TorchServe's part changes; a
class that isn't listed is only loaded more slowly.
"""

import re
import sys
import tempfile
from pathlib import Path

import httpx

from testbed.archives import write_archive
from testbed.deadlines import ANSWER_SECONDS, READY_SECONDS
from vertex_torchserve.serving.java_libraries.class_archive import CLASS_LIST
from vertex_torchserve.serving.local_server import ServingProcess

_OURS = "vertextorchserve/"
_ID = re.compile(r" id: \d+$")


def main() -> int:
    """Serve once, and write what was loaded; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="vts-") as work:
        write_archive(Path(work, "store"))
        loaded = Path(work, "loaded")
        environment = {
            "AIP_STORAGE_URI": f"{work}/store",
            "JAVA_TOOL_OPTIONS": f"-XX:DumpLoadedClassList={loaded} -Xshare:off",
        }
        with ServingProcess(environment) as server:
            server.wait_ready(READY_SECONDS)
            answer = httpx.post(
                f"{server.base_url}/predictions/model",
                json={"instances": ["a"]},
                timeout=ANSWER_SECONDS,
                trust_env=False,
            )
            answer.raise_for_status()
        lines = loaded.read_text().splitlines()
    wanted = {_ID.sub("", line) for line in lines if not line.startswith("#") and _OURS not in line}
    CLASS_LIST.write_text("".join(f"{line}\n" for line in sorted(wanted)))
    sys.stdout.write(f"{CLASS_LIST}: {len(wanted)} lines\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
