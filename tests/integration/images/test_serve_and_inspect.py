"""`serve --image` and `images inspect`: the image under test."""

import json
from pathlib import Path

from testbed.archives import write_archive
from tests.commands import run_command
from tests.serve_command import serving
from vertex_torchserve.serving.ports import free_ports


def test_an_archive_is_served_in_a_container(image: str, tmp_path: Path) -> None:
    mar = write_archive(tmp_path, files={"golden-request.json": json.dumps({"instances": ["me"]})})
    (port,) = free_ports(1)
    with serving(tmp_path / "run", str(mar), "--image", image, "--port", str(port)) as served:
        assert served.answer(f"curl {served.wait('curl ')}") == [{"echo": "me"}]


def test_what_an_image_is_and_has(image: str) -> None:
    run = run_command("images", "inspect", image, "--json")
    assert run.returncode == 0, run.stderr
    facts = json.loads(run.stdout)
    assert facts["is_ours"] is True
    assert facts["user"] not in ("", "0", "root")
    assert facts["versions"]["Python"].startswith("3.")
    assert {"torch", "torchserve", "transformers", "vertex-torchserve"} < set(facts["versions"])
    assert facts["packages"] > 50
    assert f"image     {image}, linux/" in run_command("images", "inspect", image).stdout


def test_an_image_that_is_not_there(engine: None) -> None:
    run = run_command("images", "inspect", "no-such-image:1")
    assert run.returncode == 2
    assert "the engine has no image 'no-such-image:1'" in run.stderr
