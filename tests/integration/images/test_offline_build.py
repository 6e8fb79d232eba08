"""docs/publishing.md, "Without a network": the serving image of two bases that were made before."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from testbed.archives import write_archive
from testbed.deadlines import BUILD_SECONDS
from tests.documents import ROOT, blocks
from tests.integration.images.conftest import base_options
from tests.integration.images.serving_container import answer_of, isolated
from vertex_torchserve import docker

FETCH, BUILD = (block for block in blocks("docs/publishing.md", "sh") if "offline-build:1" in block)


def inventory_of(image: str) -> dict[str, Any]:
    text = docker.output_of(image, "/opt/venv/inventory.json", options=("--entrypoint", "cat"))
    found: dict[str, Any] = json.loads(text)
    return found


# tests/integration/images/test_derived_images.py builds an image without a network in seconds.
@pytest.mark.heavy
def test_the_image_that_is_built_without_a_network_is_the_same(image: str, tmp_path: Path) -> None:
    if image != "torchserve-cpu:dev":
        pytest.skip("the document builds the CPU image")
    unique = uuid.uuid4().hex[:12]
    own = {
        "offline-runtime:1": f"vts-test-{unique}:runtime",
        "offline-build:1": f"vts-test-{unique}:build",
        "--network none": f"--network none --tag vts-test-{unique}:built",
        "docker build": f"docker build --network host {' '.join(base_options())}",
        "docker ": f"{docker.client()} ",
        "bases.tar.gz": str(tmp_path / "bases.tar.gz"),
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    made = [f"vts-test-{unique}:{tag}" for tag in ("runtime", "build", "built")]

    def typed(block: str) -> None:
        for written, here in own.items():
            block = block.replace(written, here)
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=ROOT, check=True, timeout=BUILD_SECONDS,
            env={**os.environ, "PATH": path},
        )  # fmt: skip

    try:
        typed(FETCH)
        docker.ask("image", "rm", *made[:2])
        typed(BUILD)
        assert inventory_of(made[2]) == inventory_of(image)
        with isolated(made[2], write_archive(tmp_path)) as container:
            assert answer_of(container) == [{"echo": "cat"}]
    finally:
        for name in made:
            subprocess.run(
                [docker.client(), "image", "rm", "--force", name], check=False, capture_output=True
            )
