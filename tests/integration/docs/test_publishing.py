"""docs/publishing.md says what cloudbuild.yaml and the Makefile do."""

import configparser
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import run_command
from tests.documents import ROOT, blocks
from vertex_torchserve.torch_builds import CUDAS, DEFAULT_TORCH, SERIES, torch_build_arguments


def block(beginning: str) -> str:
    """The one that begins so."""
    [found] = [each for each in blocks("docs/publishing.md", "sh") if each.startswith(beginning)]
    return found


@pytest.fixture
def substitutions() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())
    found: dict[str, Any] = config["substitutions"]
    return found


def test_the_command_gives_substitutions_that_there_are(substitutions: dict[str, Any]) -> None:
    submit = block("gcloud builds submit")
    given = re.findall(r"(_[A-Z]+)=", submit)
    assert given == ["_REGION", "_REPOSITORY", "_TAG", "_COMMIT"]
    assert set(given) <= set(substitutions)
    assert "--config cloudbuild.yaml" in submit


def test_the_table_has_every_substitution(substitutions: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (`_.*?) \|", (ROOT / "docs/publishing.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"_[A-Z_]+", row)}
    assert named == set(substitutions) - {"_IMAGES"}


def test_the_local_run_is_a_target(substitutions: dict[str, Any]) -> None:
    assert block("make") == "make cloudbuild-local\n"
    dry = subprocess.run(
        ["make", "--dry-run", "cloudbuild-local"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    given = set(re.findall(r"--substitution (\w+)=", dry.stdout))
    assert given == {"_BASE_IMAGE", "_BUILD_IMAGE"}
    assert given <= set(substitutions)
    text = (ROOT / "docs/publishing.md").read_text()
    [stated] = re.findall(r"CLOUDBUILD_LOCAL_ARGS='(.+)'", text)
    assert stated in dry.stdout


def test_the_components_yaml_names_the_published_image(tmp_path: Path) -> None:
    program, *words = shlex.split(block("vertex-torchserve component yaml").replace("\\\n", " "))
    assert program == "vertex-torchserve"
    run = run_command(*words, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stderr == "wrote component.yaml\n"
    image = words[words.index("--image") + 1]
    assert f"image: {image}\n" in (tmp_path / "component.yaml").read_text()


def test_the_pip_conf_with_a_token(tmp_path: Path) -> None:
    """`gcloud` is a file of the test that prints a token."""
    gcloud = tmp_path / "gcloud"
    gcloud.write_text('#!/bin/sh\n[ "$*" = "auth print-access-token" ] && echo ya29.token\n')
    gcloud.chmod(0o755)
    writing, _, _ = block("printf '[global]").partition("vertex-torchserve")
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["bash", "-euc", writing], cwd=tmp_path, check=True, env={**os.environ, "PATH": path})
    config = configparser.RawConfigParser()  # as pip reads it
    config.read(tmp_path / "pip.conf")
    host = "us-central1-python.pkg.dev/PROJECT/REPOSITORY/simple/"
    assert dict(config["global"]) == {"extra-index-url": f"https://oauth2accesstoken:ya29.token@{host}"}


def test_the_tables_of_torch_and_cuda_are_the_commands() -> None:
    text = (ROOT / "docs/publishing.md").read_text()
    series = {
        each: tuple(cudas.split(", "))
        for names, cudas in re.findall(r"^\| (2\.[\d., ]+) \| ([\d., ]+) \|$", text, re.MULTILINE)
        for each in names.split(", ")
    }
    assert series == SERIES
    row = re.compile(
        r"^\| (1\d\.\d) \| ([\d.]+) to ([\d.]+): .+ \| (\d+) or newer \| (2\.\d+|goes on) \|$", re.MULTILINE
    )
    found = {
        cuda: ((float(old), float(new)), int(driver), last)
        for cuda, old, new, driver, last in row.findall(text)
    }
    newest = list(SERIES)[-1]
    assert found == {
        cuda: (wheels.gpus, wheels.driver, "goes on" if last == newest else last)
        for cuda, wheels in CUDAS.items()
        for last in [[name for name, cudas in SERIES.items() if cuda in cudas][-1]]
    }
    assert f"The images' own torch is {DEFAULT_TORCH} with 12.6" in text


def test_the_build_with_another_torch_can_be_made() -> None:
    words = shlex.split(block("vertex-torchserve images build gpu"))
    torch, cuda = (words[words.index(option) + 1] for option in ("--torch-version", "--cuda"))
    assert torch_build_arguments(torch, cuda, gpu=True)["TORCH_INDEX_URL"].endswith("/cu130")
