"""TorchServe's own handlers of images, in an image with torchvision as docs/derived-images.md makes it."""

import base64
import json
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from testbed.deadlines import ANSWER_SECONDS, BUILD_SECONDS, MOMENT_SECONDS
from tests.commands import COMMAND, run_command
from tests.documents import ROOT, blocks
from tests.integration.images.serving_container import pings_until_ready, predict, serve
from vertex_torchserve import docker
from vertex_torchserve.archive_check.image_modules.of_an_image import modules_of
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

VISION = blocks("docs/derived-images.md", "sh")[1].splitlines()[0]
MODELS = ROOT / "testbed" / "vision_models.py"  # not imported: torchvision is in the image alone
REQUIREMENTS = blocks("docs/derived-images.md", "text")[0]


@pytest.fixture(scope="module")
def vision_image(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with torchvision."""
    index = modules_of(image).torch_index
    if index is not None:
        try:
            urllib.request.urlopen(f"{index}/torchvision/", timeout=MOMENT_SECONDS).close()
        except OSError as error:
            pytest.skip(f"NO TORCHVISION FOR {image}, ITS HANDLERS ARE NOT TESTED: {index}: {error}")
    folder = tmp_path_factory.mktemp("vision")
    (folder / "vision.txt").write_text(REQUIREMENTS)
    name = f"vts-test-{uuid.uuid4().hex[:12]}:vision"
    words = VISION.replace("vertex-torchserve", COMMAND, 1).split()
    words[words.index("--tag") + 1] = name
    built = subprocess.run(
        [*words, "--base", image],
        cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-4000:]
    yield name
    subprocess.run([docker.client(), "image", "rm", "--force", name], check=True, capture_output=True)


@pytest.fixture(scope="module")
def models(vision_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models' folders, made in the image."""
    folder = tmp_path_factory.mktemp("models")
    folder.chmod(0o777)
    options = ("--entrypoint", "python", "--volume", f"{folder}:/out")
    docker.output_of(vision_image, "-c", MODELS.read_text(encoding="utf-8"), "/out", options=options)
    return folder


def assert_close(answer: Any, expected: Any) -> None:
    """The same structure, and numbers that differ in their last digits only."""
    if isinstance(expected, dict):
        assert answer.keys() == expected.keys()
        answer, expected = list(answer.values()), [expected[key] for key in answer]
    if isinstance(expected, list):
        assert len(answer) == len(expected)
        for one, other in zip(answer, expected, strict=True):
            assert_close(one, other)
    else:
        assert answer == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("handler", ["image_classifier", "image_segmenter", "object_detector"])
def test_a_picture_is_answered_as_torchvision_answers_it(
    handler: str, vision_image: str, models: Path, tmp_path: Path
) -> None:
    folder = models / handler
    spec = ModelArchiveSpec(
        folder,
        handler=handler,
        local_model_file="model.pt",
        model_file=folder / "model.py" if handler == "object_detector" else None,
        ignore=("model.py",),
    )
    mar = build_model_archive(spec, tmp_path / "store").mar_path
    checked = run_command("check", str(mar), "--image", vision_image)
    assert (checked.returncode, checked.stdout) == (0, f"nothing found in {mar}\n")
    (tmp_path / "store").chmod(0o755)
    picture = (models / "picture.png").read_bytes()
    [expected] = [json.loads((models / "expected.json").read_text())[handler]]
    with serve(vision_image, tmp_path / "store") as server:
        pings_until_ready(server)
        answer = predict(server, [{"b64": base64.b64encode(picture).decode()}] * 2)
        assert answer.status == 200, answer.body
        whole = httpx.post(
            f"{server.base_url}/predictions/model",
            content=picture,
            headers={"Content-Type": "image/png"},
            timeout=ANSWER_SECONDS,
        )
    assert_close(answer.body, {"predictions": [expected, expected]})
    assert_close(whole.json(), {"predictions": [expected]})
