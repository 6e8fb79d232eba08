"""The archive of classes: made for a Java, found again, and done without when it is no good."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vertex_torchserve.serving.java_libraries.class_archive import (
    class_archive,
    class_archive_options,
    make_class_archive,
)
from vertex_torchserve.serving.java_libraries.class_path import MAKE
from vertex_torchserve.serving.java_libraries.java_runtime import java_executable

# One of the archive's classes, loaded by a JVM that does nothing else.
GSON = "com.google.gson.Gson"


@pytest.fixture
def archived(libraries: list[Path]) -> list[Path]:
    """The libraries, with an archive for this Java."""
    archive = class_archive(libraries, java_executable())
    if archive is not None and not archive.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the archive of classes is not made: {MAKE}")
        pytest.skip(f"THE ARCHIVE OF CLASSES IS NOT MADE AND NOT TESTED: {MAKE}")
    return libraries


def version_said(jars: list[Path], *options: str) -> str:
    java, class_path = java_executable(), ":".join(map(str, jars))
    own = class_archive_options(jars, java)
    command = [str(java), *own, *options, "-cp", class_path, "-version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def copied(jars: list[Path], folder: Path) -> list[Path]:
    """The same elsewhere, as an image has them."""
    shutil.copytree(jars[0].parent, folder)
    return [folder / jar.name for jar in jars]


def test_the_jvm_takes_it_also_where_it_was_moved(archived: list[Path], tmp_path: Path) -> None:
    assert "sharing" in version_said(archived, "-Xshare:on")
    assert "sharing" in version_said(copied(archived, tmp_path / "moved"), "-Xshare:on")


def test_a_damaged_one_is_done_without_and_nothing_is_said_of_it(
    archived: list[Path], tmp_path: Path
) -> None:
    jars = copied(archived, tmp_path / "moved")
    archive = class_archive(jars, java_executable())
    assert archive is not None
    without = version_said(jars, "-Xshare:off")
    os.truncate(archive, 100_000)
    assert version_said(jars) == without
    archive.unlink()
    assert class_archive_options(jars, java_executable()) == []


# Makes an archive that it takes afterwards, at once.
QUICK_JAVA = """\
#!/bin/sh
for word; do
    case "$word" in
        -XX:SharedArchiveFile=*) file="${word#*=}" ;;
    esac
done
case "$1" in
    -Xshare:dump) echo "made for $0" > "$file" ;;
    -Xshare:on) grep -q "made for $0" "$file" ;;
esac
"""
UNABLE_JAVA = "#!/bin/sh\necho no such option\nexit 1\n"


def java_in(home: Path, program: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(program)
    java.chmod(0o755)
    return java


def test_it_is_made_where_there_is_none_or_none_that_is_usable(tmp_path: Path) -> None:
    java, jars = java_in(tmp_path / "home", QUICK_JAVA), [tmp_path / "gson.jar"]
    assert class_archive(jars, java) is None  # it doesn't say which it is
    (tmp_path / "home" / "release").write_text("JAVA_VERSION=21\n")
    archive = class_archive(jars, java)
    assert archive is not None
    for before in (None, "made for another"):
        if before:
            archive.write_text(before)
        make_class_archive(jars, java)
        assert archive.read_text() == f"made for {java}\n"
        assert class_archive_options(jars, java)[0] == f"-XX:SharedArchiveFile={archive}"
    made = archive.stat().st_mtime_ns
    make_class_archive(jars, java)
    assert archive.stat().st_mtime_ns == made
    assert list(tmp_path.glob("*classes-*")) == [archive]


def test_a_java_that_can_t_make_it_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    java, jars = java_in(tmp_path / "home", UNABLE_JAVA), [tmp_path / "gson.jar"]
    (tmp_path / "home" / "release").write_text("JAVA_VERSION=17\n")
    make_class_archive(jars, java)
    assert "makes no archive of classes, so that starts are slower:\nno such option" in caplog.text
    assert class_archive_options(jars, java) == []
