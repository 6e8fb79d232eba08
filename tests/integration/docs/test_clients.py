"""The blocks of docs/clients.md, against a server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from testbed.deadlines import READY_SECONDS
from testbed.packaged_models import package
from tests.documents import blocks
from vertex_torchserve.serving.local_server import ServingProcess

DOCUMENT = "docs/clients.md"
BLOCK_SECONDS = 120


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    mar = package("text-generation", tmp_path_factory.mktemp("model"))
    settings = {"AIP_STORAGE_URI": str(mar.parent), "VTS_WORKERS": "1", "OMP_NUM_THREADS": "1"}
    with ServingProcess(settings) as server:
        server.wait_ready(READY_SECONDS)
        yield {**os.environ, "URL": f"{server.base_url}/predictions/model"}


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=BLOCK_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl(environment: dict[str, str]) -> None:
    (block,) = blocks(DOCUMENT, "bash")
    told = run(["bash", "-euc", block], environment)
    assert '"generated_text"' in told
    assert told.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("block", blocks(DOCUMENT, "python"), ids=["requests", "openai"])
def test_python(block: str, environment: dict[str, str]) -> None:
    assert run([sys.executable, "-c", block], environment).strip()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: fetch is not tried")
def test_fetch(environment: dict[str, str]) -> None:
    (block,) = blocks(DOCUMENT, "js")
    assert run(["node", "--input-type=module", "-e", block], environment).startswith("The train")
