"""The list of modules that `check` has without Docker is the image's own; `check --image` asks the image."""

import dataclasses
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from testbed.archive_faults.making import Files
from testbed.archives import archive
from testbed.deadlines import PROGRAM_SECONDS
from tests.commands import run_command
from tests.documents import blocks
from tests.model_folders import wheels
from vertex_torchserve.archive_check.image_modules import of_our_images
from vertex_torchserve.archive_check.image_modules.named import inventory_named
from vertex_torchserve.archive_check.image_modules.of_an_image import modules_of
from vertex_torchserve.docker import client

# The packages of the CUDA libraries that share one module; which they are depends on the CUDA.
SHARED = ("cuda", "nvidia")


def test_the_list_is_the_image_s_own(image: str, facts: dict[str, Any]) -> None:
    title = facts["Config"]["Labels"]["org.opencontainers.image.title"]
    listed, real = of_our_images("gpu" if title == "torchserve-gpu" else "cpu"), modules_of(image)
    assert real.standard == listed.standard
    assert real.unpickled == listed.unpickled
    assert set(real.owners) == set(listed.owners)
    owners = {name: owner for name, owner in listed.owners.items() if name not in SHARED}
    assert {name: real.owners[name] for name in owners} == owners
    # A torch from PyPI, whose CUDA is another, has no `+cu126`.
    versions = {name: version.partition("+")[0] for name, version in listed.versions.items()}
    assert {name: real.versions[name].partition("+")[0] for name in versions} == versions
    assert real.python.startswith(f"{listed.python}.")


def test_the_inventory_in_the_image_is_what_the_image_has(
    image: str, facts: dict[str, Any], tmp_path: Path
) -> None:
    """Read as docs/inventory.md says; written at the build, and what is there now."""
    [command, *_] = blocks("docs/inventory.md", "sh")
    command = command.replace("docker", client(), 1).replace("IMAGE", image)
    subprocess.run(command, shell=True, cwd=tmp_path, check=True, timeout=PROGRAM_SECONDS)  # noqa: S602
    written, real = inventory_named(str(tmp_path / "inventory.json")), modules_of(image)
    assert dataclasses.replace(written, name=real.name, asked=image) == real
    assert {"libc6", "ca-certificates", "procps", "python3"} <= set(written.system)
    revision = facts["Config"]["Labels"]["org.opencontainers.image.revision"]
    assert written.commit == revision
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", revision)


def test_an_archive_is_checked_for_an_image(image: str, tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    path.write_bytes(archive("import cv2, torch\n\n\ndef handle(data, context):\n    return data\n"))
    answer = run_command("check", str(path), "--image", image, "--json")
    assert answer.returncode == 1, answer.stderr
    said = json.loads(answer.stdout)
    assert said["image"] == f"the image {image}"
    assert [each["message"] for each in said["findings"]] == [
        f"imports cv2, which is not in the archive, the image {image} or the requirements"
    ]
    answer = run_command("check", str(path), "--image", "no-such-image:here")
    assert answer.returncode == 2
    assert "no-such-image:here" in answer.stderr
    assert "fix: correct its name, or build it" in answer.stderr


def test_pip_in_the_image_is_asked_for_the_requirements(image: str, tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    files: Files = {"requirements.txt": "plurals==1.0\n", **wheels()}
    path.write_bytes(archive(files=files, requirementsFile="requirements.txt"))
    said = json.loads(run_command("check", str(path), "--image", image, "--json").stdout)
    assert [(each["rule"], each["message"]) for each in said["findings"]] == [
        ("requirements-resolve", "each start installs 1 packages: plurals==1.0")
    ]
    files = {"requirements.txt": "plurals==1.0\n", **wheels("torch<2")}
    path.write_bytes(archive(files=files, requirementsFile="requirements.txt"))
    answer = run_command("check", str(path), "--image", image, "--json")
    assert answer.returncode == 1
    (finding,) = json.loads(answer.stdout)["findings"]
    assert (finding["rule"], finding["severity"]) == ("requirements-resolve", "error")
    assert "plurals" in finding["message"]
    assert "torch" in finding["message"]
