"""Compile the Java sources with their tests, and run the tests with JUnit.

python -m scripts.java.run_tests REPORTS  # writes TEST-junit-jupiter.xml into the folder REPORTS
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.java.toolchain import (
    SOURCES,
    TESTS,
    MissingToolError,
    java_files,
    javac_command,
    joined,
    junit_jar,
    libraries,
)
from vertex_torchserve.serving.java_libraries.class_path import torchserve_home

_TIMEOUT = "junit.jupiter.execution.timeout.default=120 s"


def main(arguments: list[str]) -> int:
    """Write the reports to the folder given; returns JUnit's exit code, or 2 when a tool is missing."""
    reports = str(Path(arguments[0]).resolve())
    with tempfile.TemporaryDirectory(prefix="vts-") as folder:
        classes = Path(folder)
        try:
            compile_command = javac_command(java_files(SOURCES) + java_files(TESTS), classes, junit_jar())
        except MissingToolError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        compiled = subprocess.run(compile_command, check=False)
        if compiled.returncode != 0:
            return compiled.returncode
        class_path = joined(junit_jar(), classes, *libraries())
        options = [
            "--scan-class-path",
            str(classes),
            "--reports-dir",
            reports,
            "--disable-banner",
            "--details",
            "tree",
        ]
        home = f"-Dmodel_server_home={torchserve_home()}"  # TorchServe looks for its version there
        command = ["java", home, "-cp", class_path, "org.junit.platform.console.ConsoleLauncher", *options]
        # TorchServe's classes write their logs into the working directory.
        return subprocess.run([*command, "--config", _TIMEOUT], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
