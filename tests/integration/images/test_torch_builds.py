"""`images build --torch-version --cuda`: what reaches the Dockerfile, and what is refused before a build."""

import uuid
from pathlib import Path

import pytest

from tests.commands import run_command
from vertex_torchserve import docker

# What the Dockerfile of the GPU image is told, and nothing of what it does.
DOCKERFILE = """\
FROM scratch
ARG TORCH_VERSION=none
ARG TORCH_INDEX_URL=none
LABEL torch="${TORCH_VERSION}" index="${TORCH_INDEX_URL}"
"""


def test_the_dockerfile_gets_version_and_index(engine: None, tmp_path: Path) -> None:
    folder = tmp_path / "images" / "torchserve-gpu"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    name = f"vts-test-{uuid.uuid4().hex}:dev"
    chosen = ("--torch-version", "2.15.0", "--cuda", "13.2")
    try:
        run = run_command("images", "build", "gpu", "--source", str(tmp_path), "--tag", name, *chosen)
        assert run.returncode == 0, run.stderr
        labels = docker.inspect_image(name)["Config"]["Labels"]
    finally:
        docker.ask("image", "rm", "--force", name)
    assert labels["torch"] == "2.15.0"
    assert labels["index"] == "https://download.pytorch.org/whl/cu132"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gpu", "--torch-version", "2.15.0", "--cuda", "12.6"), "torch 2.15.0 has no wheels for CUDA 12.6"),
        (("cpu", "--cuda", "13.0"), "only the GPU image has a CUDA"),
        (("component", "--torch-version", "2.14.1"), "its torch is the CPU image's"),
        (
            ("cpu", "--torch-version", "2.14.1", "--with-requirements", "own.txt"),
            "--torch-version with --with-requirements: the torch of the base stays",
        ),
        (
            ("gpu", "--cuda", "13.0", "--build-arg", "TORCH_INDEX_URL="),
            "--cuda with --build-arg TORCH_INDEX_URL, which says the same",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_refused_before_a_build(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    run = run_command("images", "build", *words, cwd=tmp_path)
    assert run.returncode == 2
    assert said in " ".join(run.stderr.split())
