"""The list of modules that `check` has without Docker is the image's own; `check --image` asks the image."""

import json
from pathlib import Path

from testbed.archive_faults.making import Files
from testbed.archives import archive
from tests.commands import run_command
from tests.model_folders import wheels
from vertex_torchserve.archive_check.image_modules import of_our_images
from vertex_torchserve.archive_check.image_modules.of_an_image import modules_of


def test_the_list_is_the_image_s_own(image: str) -> None:
    listed, real = of_our_images(), modules_of(image)
    assert real.standard == listed.standard
    assert real.unpickled == listed.unpickled
    known = {name: version for name, version in real.versions.items() if name in listed.versions}
    assert {name: version.split("+")[0] for name, version in known.items()} == listed.versions
    others = set(real.owners) - set(listed.owners)
    # The CUDA build of torch brings libraries of its own.
    assert others == set() if "cpu" in real.versions["torch"] else "nvidia" in others
    assert {name: real.owners[name] for name in listed.owners} == listed.owners


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
    assert answer.returncode == 1
    assert "docker run failed" in answer.stderr


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
