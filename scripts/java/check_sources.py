"""Check the Java sources and their tests: the format, javac's warnings, and Eclipse's compiler.

python -m scripts.java.check_sources           # exit code 1 when something is found, 2 when a tool is missing
python -m scripts.java.check_sources --format  # formats the sources first
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.java.toolchain import (
    JAVAC_VERSION,
    QUICK_JVM,
    SOURCES,
    TESTS,
    MissingToolError,
    java_files,
    javac_command,
    joined,
    junit_jar,
    libraries,
)

# All of Eclipse's warnings but these:
_NOT_ASKED_FOR = [
    "javadoc",  # javac checks that
    "unqualifiedField",  # `this.` before every field
    "nls",  # texts in files of their own, for translation
    "boxing",
    "super",  # overriding without calling what is overridden
    "unusedExceptionParam",
    "all-static-method",  # JUnit calls methods of an object
    "indirectStatic",  # SO_REUSEPORT by the name of netty's public class
]


def main(arguments: list[str]) -> int:
    """Run the three checks at once; returns the exit code."""
    files = java_files(SOURCES) + java_files(TESTS)
    formatter = str(Path(sys.executable).with_name("clang-format"))
    if arguments == ["--format"]:
        subprocess.run([formatter, "-i", *files], check=True)
    with tempfile.TemporaryDirectory(prefix="vts-") as classes:
        try:
            commands = {
                "clang-format (`make format-java` mends it)": [formatter, "--dry-run", "--Werror", *files],
                "javac": javac_command(files, Path(classes), junit_jar()),
                "ecj": _eclipse_command(),
            }
        except MissingToolError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        environment = os.environ | {"JAVA_ARGS": " ".join(QUICK_JVM)}  # Debian's ecj passes it to the JVM
        running = {
            name: subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
            )
            for name, command in commands.items()
        }
        outputs = {name: process.communicate()[0] for name, process in running.items()}
    failed = [name for name, process in running.items() if process.returncode != 0]
    for name in failed:
        sys.stdout.write(f"{outputs[name]}{name} failed\n")
    return 1 if failed else 0


def _eclipse_command() -> list[str]:
    if shutil.which("ecj") is None:
        raise MissingToolError("ecj is not on the PATH: apt-get install ecj")
    warnings = f"-warn:+all,{','.join(f'-{name}' for name in _NOT_ASKED_FOR)}"
    options = [f"-{JAVAC_VERSION}", "-proc:none", "-d", "none", warnings, "-failOnWarning"]
    return ["ecj", *options, "-cp", joined(*libraries(), junit_jar()), str(SOURCES), str(TESTS)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
