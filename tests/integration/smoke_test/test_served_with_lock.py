"""`smoke-test --with-lock` with the images' own lock: `make test-lock`, which installs torch and all."""

import json
import os
from pathlib import Path

import pytest

from testbed.archives import write_archive
from tests.commands import run_command

LOCK = Path(__file__).parents[3] / "images/torchserve-cpu/requirements.lock"
HANDLER = """\
import sys
import torch


def handle(data, context):
    return None if data is None else [[sys.prefix, torch.__version__] for _ in data]
"""


@pytest.mark.skipif(
    os.environ.get("VTS_TEST_LOCK") != "1",
    reason="SERVING WITH THE IMAGES' LOCK IS NOT TESTED (make test-lock)",
)
def test_it_is_served_with_the_images_versions(tmp_path: Path) -> None:
    mar = write_archive(tmp_path, HANDLER)
    (tmp_path / "instances.json").write_text('["a"]')
    arguments = ("--instances", str(tmp_path / "instances.json"), "--with-lock", str(LOCK), "--json")
    cache = str(tmp_path / "cache")
    first, second = (run_command("smoke-test", str(mar), *arguments, XDG_CACHE_HOME=cache) for _ in range(2))
    report = json.loads(first.stdout)
    assert report["ok"], report["checks"]
    [[prefix, torch]] = report["predictions"]
    assert prefix.startswith(f"{cache}/vertex-torchserve/environments/")
    assert torch == "2.13.0+cpu"
    assert report["lock"] == "requirements.lock"
    assert report["comparison"]["differences"] == []
    assert "(made in " in first.stderr
    assert "(was there)" in second.stderr
    assert json.loads(second.stdout)["predictions"] == report["predictions"]
