"""The committed jar is what its sources say."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[4]
JAVA_FOLDER = ROOT / "src" / "vertex_torchserve" / "serving" / "java"
JAR = JAVA_FOLDER / "vertex-torchserve.jar"
RunScript = Callable[..., subprocess.CompletedProcess[str]]


def test_the_jar_was_built_from_these_sources(run_java_script: RunScript) -> None:
    with zipfile.ZipFile(JAR) as jar:
        manifest = jar.read("META-INF/MANIFEST.MF").decode()
    digest = run_java_script("build_jar", "--digest", str(JAVA_FOLDER / "src")).stdout.strip()
    assert f"Sources-SHA256: {digest}\r\n" in manifest, "stale jar: run make java"


def test_the_digest_is_of_names_and_contents(run_java_script: RunScript, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "B.java").write_text("class B {}\n")
    (tmp_path / "notes.txt").write_text("not a source\n")
    # printf 'a/B.java\n11\nclass B {}\n' | sha256sum
    expected = "a5c6f26ec00b4fdca068f050b3e8f24b0792915611b6cb5cebb3ed8276c6bd5f\n"
    assert run_java_script("build_jar", "--digest", str(tmp_path)).stdout == expected


def test_building_again_gives_the_same_bytes(run_java_script: RunScript, tmp_path: Path) -> None:
    rebuilt = tmp_path / "rebuilt.jar"
    build = run_java_script("build_jar", str(rebuilt))
    assert build.returncode == 0, build.stdout + build.stderr
    assert rebuilt.read_bytes() == JAR.read_bytes()
    assert list(tmp_path.iterdir()) == [rebuilt]


def test_the_jar_holds_our_classes_only() -> None:
    with zipfile.ZipFile(JAR) as jar:
        others = [name for name in jar.namelist() if not name.startswith("vertextorchserve/")]
    assert others == ["META-INF/MANIFEST.MF"]
