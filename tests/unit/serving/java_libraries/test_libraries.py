"""What the made libraries hold, how large they are, and where the server finds them."""

import logging
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.java_libraries.class_path import class_path, libraries_folders, torchserve_jar
from vertex_torchserve.serving.java_libraries.kept_jar import write_kept_jar
from vertex_torchserve.serving.java_libraries.lock import is_intact, read_lock

MOST_BYTES = 18_000_000
GONE = (
    "groovy",
    "org/apache/tools/ant",
    "org/junit",
    "org/testng",
    "com/github/javaparser",
    "io/grpc",
    "com/google/protobuf",
)


def entries(jar: Path) -> list[str]:
    with zipfile.ZipFile(jar) as content:
        return [name for name in content.namelist() if not name.endswith("/")]


def test_each_is_what_the_lock_says(libraries: list[Path]) -> None:
    digests = read_lock().digests
    assert [jar.name for jar in libraries if not is_intact(jar, digests[jar.name])] == []


def test_they_are_small(libraries: list[Path]) -> None:
    assert sum(jar.stat().st_size for jar in libraries) < MOST_BYTES


def test_no_class_is_there_twice(libraries: list[Path]) -> None:
    classes = Counter(
        name
        for jar in libraries
        for name in entries(jar)
        if name.endswith(".class") and not name.startswith("META-INF/") and name != "module-info.class"
    )
    assert [name for name, times in classes.items() if times > 1] == []
    assert "io/netty/handler/codec/http/HttpObjectDecoder.class" in classes
    assert [name for name in classes if name.startswith(GONE)] == []


def test_netty_and_log4j_are_maven_s_own_files(libraries: list[Path]) -> None:
    for jar in libraries:
        if jar.name.startswith(("netty-common", "log4j-core")):
            assert [name for name in entries(jar) if name.endswith("/pom.properties")]


def test_the_kept_jar_is_the_same_each_time(tmp_path: Path) -> None:
    lock = read_lock()
    for name in ("first.jar", "second.jar"):
        write_kept_jar(torchserve_jar(), lock.kept, tmp_path / name)
        assert is_intact(tmp_path / name, lock.kept_sha256)
    kept = entries(tmp_path / "first.jar")
    assert "org/pytorch/serve/ModelServer.class" in kept
    assert "log4j2.xml" in kept
    assert [
        name for name in kept if not name.startswith(("org/pytorch/", "com/lmax/", "io/prometheus/"))
    ] == ["log4j2.xml"]


def test_without_them_torchserve_s_own_jar_serves_and_a_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert class_path() == [torchserve_jar()]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "with netty 4.1.53 and log4j 2.17.1, which have known holes" in record.message
    assert "python" in record.message and "-m vertex_torchserve.serving.java_libraries" in record.message


def test_the_log_names_them(libraries: list[Path], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert class_path() == libraries
    assert "netty-codec-http-4.2.13.Final" in caplog.text
    assert "log4j-core-2.25.4" in caplog.text


def test_one_that_was_changed_is_refused(
    libraries: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    [*_, folder] = libraries_folders()
    shutil.copytree(libraries[0].parent, folder)
    changed = folder / "gson-2.13.2.jar"
    changed.write_bytes(changed.read_bytes() + b"\n")
    with pytest.raises(InputError, match=r"gson-2\.13\.2\.jar is missing or is not what the lock says"):
        class_path()
