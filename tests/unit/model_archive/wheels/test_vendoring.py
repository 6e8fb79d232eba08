"""Wheels of a folder or an index, chosen by pip for the serving image without Docker, and their lock."""

import hashlib
import threading
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.model_folders import model_folder, wheel, write_handler
from vertex_torchserve.archive_check.check import check_path
from vertex_torchserve.archive_check.image_modules import of_our_images
from vertex_torchserve.errors import InputError
from vertex_torchserve.model_archive import ModelArchiveSpec, build_model_archive


@pytest.fixture
def spec(tmp_path: Path) -> ModelArchiveSpec:
    """A model with the requirement `plurals`, and a folder that holds its wheel."""
    (tmp_path / "requirements.txt").write_text("plurals\n")
    return ModelArchiveSpec(
        model_folder(tmp_path),
        handler=str(write_handler(tmp_path)),
        requirements_file=tmp_path / "requirements.txt",
        vendor_wheels=str(folder_of(tmp_path, wheel("plurals", "1.0"), "plurals-1.0-py3-none-any.whl")),
    )


def folder_of(tmp_path: Path, content: bytes, name: str) -> Path:
    folder = tmp_path / "of-wheels"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


def vendored(spec: ModelArchiveSpec, tmp_path: Path) -> tuple[str, list[str]]:
    """The lock and the wheels in the archive."""
    built = build_model_archive(spec, tmp_path / "out")
    assert built.warnings == ()
    with zipfile.ZipFile(built.mar_path) as archive:
        names = [name for name in archive.namelist() if name.startswith("wheels/")]
        return archive.read("requirements.txt").decode(), names


def refusal(spec: ModelArchiveSpec, tmp_path: Path) -> str:
    """The message of the refusal; nothing may have been written."""
    with pytest.raises(InputError) as caught:
        build_model_archive(spec, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    return str(caught.value)


def test_the_wheels_and_their_lock(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    needs = wheel("nouns", "2.0", requires="plurals<3")
    folder_of(tmp_path, needs, "nouns-2.0-py3-none-any.whl")
    two = wheel("plurals", "2.1")
    folder_of(tmp_path, two, "plurals-2.1-py3-none-any.whl")
    folder_of(tmp_path, wheel("plurals", "3.0"), "plurals-3.0-py3-none-any.whl")
    folder_of(tmp_path, wheel("unwanted", "1.0"), "unwanted-1.0-py3-none-any.whl")
    (tmp_path / "requirements.txt").write_text("nouns  # of ours\n")
    assert vendored(spec, tmp_path) == (
        "# The wheels that `vertex-torchserve package --vendor-wheels` chose for requirements.txt and\n"
        "# Python 3.11 on manylinux_2_28_x86_64. pip installs these and nothing else.\n"
        "--no-index\n"
        "--find-links wheels/\n"
        f"nouns==2.0 --hash=sha256:{hashlib.sha256(needs).hexdigest()}\n"
        f"plurals==2.1 --hash=sha256:{hashlib.sha256(two).hexdigest()}\n",
        ["wheels/nouns-2.0-py3-none-any.whl", "wheels/plurals-2.1-py3-none-any.whl"],
    )
    assert check_path(str(tmp_path / "out" / "model.mar")).findings == ()


def test_the_same_wheels_give_the_same_archive(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    first = build_model_archive(spec, tmp_path / "one")
    assert build_model_archive(spec, tmp_path / "two").sha256 == first.sha256


def test_what_the_image_has_stays_out_and_what_is_installed_here_does_not_count(
    spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    has = of_our_images().versions
    assert "pytest" not in has
    folder_of(tmp_path, wheel("plurals", "2.0", requires="pillow>=10"), "plurals-2.0-py3-none-any.whl")
    folder_of(tmp_path, wheel("torch", "9.0"), "torch-9.0-py3-none-any.whl")
    (tmp_path / "requirements.txt").write_text("plurals\ntorch\n")
    assert vendored(spec, tmp_path)[1] == ["wheels/plurals-2.0-py3-none-any.whl"]
    (tmp_path / "requirements.txt").write_text("plurals\npytest\n")
    message = refusal(replace(spec, model_name="other"), tmp_path / "second")
    assert "No matching distribution found for pytest" in message
    assert f"fix: put the wheels that lack into {spec.vendor_wheels}" in message


def test_nothing_is_chosen_when_the_image_has_everything(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pillow\n")
    lock, wheels = vendored(spec, tmp_path)
    assert lock.splitlines()[2:] == ["--no-index", "--find-links wheels/"]
    assert wheels == []


def test_requirements_that_name_files_of_the_archive(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("-c limits.txt\n-r most.txt\n")
    (tmp_path / "most.txt").write_text("nouns\n")
    (tmp_path / "limits.txt").write_text("plurals<9\n")
    (tmp_path / "verbs-1.0-py3-none-any.whl").write_bytes(wheel("verbs", "1.0"))
    (spec.model_folder / "wheels").mkdir()
    (spec.model_folder / "wheels" / "nouns-1.0-py3-none-any.whl").write_bytes(wheel("nouns", "1.0"))
    (tmp_path / "requirements.txt").write_text("plurals\n-r more.txt\n./verbs-1.0-py3-none-any.whl\n")
    extra = tuple(
        tmp_path / name for name in ("more.txt", "most.txt", "limits.txt", "verbs-1.0-py3-none-any.whl")
    )
    lock, wheels = vendored(replace(spec, extra_files=extra), tmp_path)
    assert [line.partition("==")[0] for line in lock.splitlines()[4:]] == ["nouns", "plurals", "verbs"]
    assert wheels == [f"wheels/{name}-1.0-py3-none-any.whl" for name in ("nouns", "plurals", "verbs")]


@pytest.mark.parametrize(
    ("tag", "python", "platform", "fits"),
    [
        ("cp311-cp311-manylinux_2_28_x86_64", None, None, True),
        ("cp311-cp311-manylinux2014_x86_64", None, None, True),
        ("cp38-abi3-manylinux_2_17_x86_64", None, None, True),
        ("cp311-cp311-linux_x86_64", None, None, True),
        ("cp311-cp311-manylinux_2_34_x86_64", None, None, False),
        ("cp311-cp311-manylinux_2_34_x86_64", None, "manylinux_2_36_x86_64", True),
        ("cp312-cp312-manylinux_2_28_x86_64", None, None, False),
        ("cp312-cp312-manylinux_2_28_x86_64", "3.12", None, True),
        ("cp311-cp311-manylinux_2_28_aarch64", None, None, False),
        ("cp311-cp311-manylinux_2_28_aarch64", None, "manylinux_2_28_aarch64", True),
        ("cp311-cp311-macosx_11_0_arm64", None, None, False),
    ],
)
def test_wheels_of_the_platform(
    tag: str, python: str | None, platform: str | None, fits: bool, spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("fast==1.0\n")
    folder_of(tmp_path, wheel("fast", "1.0", tag), f"fast-1.0-{tag}.whl")
    spec = replace(spec, python=python, platform=platform)
    if fits:
        assert vendored(spec, tmp_path)[1] == [f"wheels/fast-1.0-{tag}.whl"]
    else:
        assert "No matching distribution found for fast==1.0" in refusal(spec, tmp_path)


def test_conflicts_are_told_as_pip_tells_them(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    folder_of(tmp_path, wheel("nouns", "1.0", requires="torch<2"), "nouns-1.0-py3-none-any.whl")
    (tmp_path / "requirements.txt").write_text("plurals\nnouns\n")
    message = refusal(spec, tmp_path)
    assert message.startswith("pip can't install requirements.txt from ")
    assert "nouns 1.0 depends on torch<2" in message
    assert f"The user requested (constraint) torch=={of_our_images().versions['torch']}" in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vendor_wheels": "./nowhere"}, ["vendor_wheels './nowhere' is not a folder that exists"]),
        (
            {"vendor_wheels": "nowhere", "python": "3.12"},
            ["vendor_wheels 'nowhere' is not a folder that exists"],
        ),
        ({"python": "3"}, ["python '3' is not a version of Python; 3.NUMBER is accepted"]),
        ({"platform": "linux"}, ["platform 'linux' is not one of containers; manylinux_2_NUMBER_x86_64"]),
        ({"requirements_file": None}, ["no requirements whose wheels could be chosen"]),
        ({"vendor_wheels": None, "python": "3.12"}, ["'3.12' says for which platform wheels are chosen"]),
        (
            {"vendor_wheels": "./nowhere", "requirements_file": None, "platform": "x"},
            ["3 problems with the input", "no requirements", "'./nowhere'", "platform 'x'"],
        ),
    ],
)
def test_bad_input(
    changes: dict[str, str | None], said: list[str], spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    message = refusal(replace(spec, **changes), tmp_path)  # type: ignore[arg-type]
    assert [part for part in said if part not in message] == []


def test_a_syntax_error_is_told_by_line_and_column_before_pip_runs(
    spec: ModelArchiveSpec, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("plurals\nno such=1\n")
    message = refusal(spec, tmp_path)
    assert f"{tmp_path / 'requirements.txt'}: line 2, column 4: 'no such=1'" in message
    assert "pip can't" not in message


def test_a_source_in_the_folder_is_no_wheel(spec: ModelArchiveSpec, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("./pkg\n")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "pyproject.toml").write_text('[project]\nname = "pkg"\nversion = "1"\n')
    message = refusal(replace(spec, extra_files=(tmp_path / "pkg",)), tmp_path)
    assert "pip can't install requirements.txt from" in message


class PrivateIndex(SimpleHTTPRequestHandler):
    """A folder of folders, as pip reads an index, for one name and password."""

    def do_GET(self) -> None:
        if self.headers["Authorization"] == f"Basic {b64encode(b'me:secret').decode()}":
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def index_of(folder: Path) -> Iterator[str]:
    """The URL of an index, with its password."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(PrivateIndex, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://me:secret@127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_what_an_index_has(spec: ModelArchiveSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index" / "plurals").mkdir(parents=True)
    tag = "cp312-cp312-manylinux_2_28_x86_64"
    content = wheel("plurals", "1.0", tag, requires="pillow")
    (tmp_path / "index" / "plurals" / f"plurals-1.0-{tag}.whl").write_bytes(content)
    (tmp_path / "requirements.txt").write_text("plurals\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with index_of(tmp_path / "index") as url:
        monkeypatch.setenv("PIP_INDEX_URL", url)
        indexed = replace(spec, vendor_wheels="index", python="3.12")
        lock, names = vendored(indexed, tmp_path)
        message = refusal(replace(indexed, python="3.11"), tmp_path / "other")
    assert names == [f"wheels/plurals-1.0-{tag}.whl"]
    assert lock.splitlines()[-1] == f"plurals==1.0 --hash=sha256:{hashlib.sha256(content).hexdigest()}"
    assert "pip can't install requirements.txt from its index for Python 3.11" in message
    assert "fix: give a folder that has them, or change the versions that pip names" in message
