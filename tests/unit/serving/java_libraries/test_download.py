"""Artifacts come from the first source that can be reached, and only as the lock has them."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vertex_torchserve.serving.java_libraries.download import LibraryError, download
from vertex_torchserve.serving.java_libraries.lock import Artifact, Carrier
from vertex_torchserve.serving.ports import free_ports

JAR = b"the bytes of a jar"
# printf 'the bytes of a jar' | sha256sum
SHA256 = "f11b957e45e1fbecd73d93cc1abf4349b1eb13df738f92bf161942bb957203d6"
ARTIFACT = Artifact("org.example", "part", "1.0", "linux", SHA256)
# A build backend of its own, so that pip needs nothing else to open the distribution.
BACKEND = """\
from pathlib import Path


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = Path(metadata_directory, "carrier-1.0.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: carrier\\nVersion: 1.0\\n")
    return folder.name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise NotImplementedError
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@pytest.fixture
def maven(tmp_path: Path) -> Iterator[str]:
    """The address of a Maven repository in the folder `maven`."""
    root = tmp_path / "maven"
    root.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its own name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    return tmp_path / "made"


def publish(root: Path, content: bytes) -> None:
    place = root / "maven/org/example/part/1.0/part-1.0-linux.jar"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)


def write_carrier(wheels: Path, content: bytes) -> Carrier:
    wheels.mkdir()
    path = wheels / "carrier-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (
            ("pyproject.toml", PROJECT.encode()),
            ("PKG-INFO", b"Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n"),
            ("backend.py", BACKEND.encode()),
            ("deps/part-1.0-linux.jar", content),
        ):
            member = tarfile.TarInfo(f"carrier-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return Carrier("carrier==1.0", hashlib.sha256(path.read_bytes()).hexdigest(), "carrier-1.0/deps")


@pytest.fixture
def only_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip takes distributions from this folder alone."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return tmp_path / "wheels"


def nobody() -> str:
    return f"http://127.0.0.1:{free_ports(1)[0]}"


def test_maven_is_asked_first(tmp_path: Path, maven: str, folder: Path) -> None:
    publish(tmp_path, JAR)
    download([ARTIFACT], [Carrier("carrier==1.0", SHA256, "never/asked")], folder, maven)
    assert (folder / "part-1.0-linux.jar").read_bytes() == JAR


def test_other_bytes_are_refused(tmp_path: Path, maven: str, folder: Path) -> None:
    publish(tmp_path, JAR + b"!")
    with pytest.raises(LibraryError, match=rf"part-1\.0-linux\.jar has SHA-256 \w+; the lock has {SHA256}"):
        download([ARTIFACT], [], folder, maven)
    assert list(folder.iterdir()) == []


def test_a_carrier_is_asked_when_maven_can_t_be_reached(only_local: Path, folder: Path) -> None:
    download([ARTIFACT], [write_carrier(only_local, JAR)], folder, nobody())
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("part-1.0-linux.jar", JAR)]


def test_other_bytes_of_a_carrier_are_refused(only_local: Path, folder: Path) -> None:
    with pytest.raises(LibraryError, match=r"carrier==1\.0, .*part-1\.0-linux\.jar has SHA-256"):
        download([ARTIFACT], [write_carrier(only_local, JAR + b"!")], folder, nobody())


def test_no_source_at_all(folder: Path) -> None:
    address = nobody()
    with pytest.raises(
        LibraryError, match=rf"part-1\.0-linux\.jar can't be downloaded\n{address}: .*refused"
    ):
        download([ARTIFACT], [], folder, address)


def test_what_is_there_is_not_asked_for(folder: Path) -> None:
    (folder / "part-1.0-linux.jar").write_bytes(JAR)
    download([ARTIFACT], [], folder, nobody())
