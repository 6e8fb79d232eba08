"""What the tests of the Java sources share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
_MISSING_TOOL = 2


@pytest.fixture(scope="session")
def run_java_script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs one of scripts/java. Skips where a tool is missing; in CI, or with REQUIRE_JAVAC=1, that fails."""

    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", f"scripts.java.{name}", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == _MISSING_TOOL:
            reason = f"{name} can't run here: {done.stderr.strip()}"
            if os.environ.get("REQUIRE_JAVAC") == "1" or os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        return done

    return run
