"""The committed jar is what its sources say."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[4]
JAVA_FOLDER = ROOT / "src" / "vertex_torchserve" / "serving" / "java"
JAR = JAVA_FOLDER / "vertex-torchserve.jar"
BUILD = ROOT / "scripts" / "build_java.py"


@pytest.fixture
def build_java() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_java", BUILD)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_jar_was_built_from_these_sources(build_java: ModuleType) -> None:
    with zipfile.ZipFile(JAR) as jar:
        manifest = jar.read("META-INF/MANIFEST.MF").decode()
    stated = f"Sources-SHA256: {build_java.source_digest(JAVA_FOLDER / 'src')}\r\n"
    assert stated in manifest, "stale jar: run python scripts/build_java.py"


def test_the_digest_is_of_names_and_contents(build_java: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "B.java").write_text("class B {}\n")
    (tmp_path / "notes.txt").write_text("not a source\n")
    # printf 'a/B.java\n11\nclass B {}\n' | sha256sum
    assert build_java.source_digest(tmp_path) == (
        "a5c6f26ec00b4fdca068f050b3e8f24b0792915611b6cb5cebb3ed8276c6bd5f"
    )


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    rebuilt = tmp_path / "rebuilt.jar"
    build = subprocess.run(
        [sys.executable, str(BUILD), str(rebuilt)], capture_output=True, text=True, check=False
    )
    if build.returncode == 2:
        pytest.skip(f"the jar is not rebuilt here: {build.stderr.strip()}")
    assert build.returncode == 0, build.stdout + build.stderr
    assert rebuilt.read_bytes() == JAR.read_bytes()
    assert list(tmp_path.iterdir()) == [rebuilt]


def test_the_jar_holds_our_classes_only() -> None:
    with zipfile.ZipFile(JAR) as jar:
        others = [name for name in jar.namelist() if not name.startswith("vertextorchserve/")]
    assert others == ["META-INF/MANIFEST.MF"]
