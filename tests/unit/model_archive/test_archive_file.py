"""An archive on a bad day: files that change while it is written, a kill, two packagers at once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.model_folders import model_folder, write_handler
from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

# Packages, and stops in the middle until its standard input ends.
PROGRAM = """
import sys
from pathlib import Path
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive

folder, handler, out = sys.argv[1:]

def pause(done, total):
    print("writing", flush=True)
    sys.stdin.read()

build_model_archive(ModelArchiveSpec(Path(folder), handler=handler), Path(out), progress=pause)
"""


@pytest.fixture
def spec(tmp_path: Path) -> ModelArchiveSpec:
    return ModelArchiveSpec(model_folder(tmp_path), handler=str(write_handler(tmp_path)))


@contextmanager
def packager(spec: ModelArchiveSpec, out: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of writing."""
    arguments = [str(spec.model_folder), str(spec.handler), str(out)]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            yield process
        finally:
            process.kill()


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def replace(path: Path) -> None:
    beside = path.with_name("beside")
    beside.write_bytes(path.read_bytes())
    stat = path.stat()
    os.utime(beside, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    beside.replace(path)


def write_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"X")
    os.utime(path, (1, 1))


# The members are written in the order of their names: one that is written already, and one that is not yet.
@pytest.mark.parametrize("name", ["1_Pooling/config.json", "model.safetensors"])
@pytest.mark.parametrize(
    "change", [lambda path: os.truncate(path, 1), grow, replace, write_in_place],
    ids=["truncated", "grown", "replaced", "written in place"],
)  # fmt: skip
def test_a_file_that_changes_meanwhile_leaves_the_old_archive(
    spec: ModelArchiveSpec, tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    out = tmp_path / "out"
    before = build_model_archive(spec, out).mar_path.read_bytes()
    changes = [change]

    def once(_done: int, _total: int) -> None:
        if changes:
            changes.pop()(spec.model_folder / name)

    with pytest.raises(InputError, match=f"{name} changed while it was packaged"):
        build_model_archive(spec, out, force=True, progress=once)
    assert [path.name for path in out.iterdir()] == ["model.mar"]
    assert (out / "model.mar").read_bytes() == before


def test_a_file_that_goes_away_meanwhile_is_named(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    weights = spec.model_folder / "model.safetensors"
    with pytest.raises(InputError, match=r"can't read .*model\.safetensors: No such file"):
        build_model_archive(spec, tmp_path / "out", progress=lambda *_: weights.unlink(missing_ok=True))
    assert list((tmp_path / "out").iterdir()) == []


def test_the_next_run_clears_what_a_kill_left(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with packager(spec, out) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        (left,) = out.iterdir()
        assert left.name.startswith(".model.mar.")
        (out / ".mine.part").write_text("not an archive's")
        build_model_archive(spec, out)
    assert sorted(path.name for path in out.iterdir()) == [".mine.part", "model.mar"]


def test_two_packagers_at_once_both_finish(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with packager(spec, out) as process:
        first = build_model_archive(spec, out)
        assert len(list(out.glob(".model.mar.*.part"))) == 1
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert [path.name for path in out.iterdir()] == ["model.mar"]
    assert first.mar_path.stat().st_size == first.size_bytes
