"""The blocks of docs/clients.md, against an endpoint of the emulator."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.documents import blocks

DOCUMENT = "docs/clients.md"
BLOCK_SECONDS = 120


def run(command: list[str], writer: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **writer},
        capture_output=True,
        text=True,
        timeout=BLOCK_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl(writer: dict[str, str]) -> None:
    (block,) = blocks(DOCUMENT, "bash")
    told = run(["bash", "-euc", block], writer)
    assert '"generated_text"' in told
    assert told.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    "block", blocks(DOCUMENT, "python"), ids=["requests", "openai", "openai-endpoint", "sdk"]
)
def test_python(block: str, writer: dict[str, str]) -> None:
    assert run([sys.executable, "-c", block], writer).strip()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: fetch is not tried")
def test_fetch(writer: dict[str, str]) -> None:
    (block,) = blocks(DOCUMENT, "js")
    assert run(["node", "--input-type=module", "-e", block], writer).startswith("The train")
