"""The names and versions that go into the SBOM, and the VEX file, beside what is in the jars."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from vertex_torchserve.serving.java_libraries.contents import libraries_in
from vertex_torchserve.serving.java_libraries.lock import read_lock
from vertex_torchserve.serving.java_libraries.make import LAUNCHER
from vertex_torchserve.serving.java_libraries.reachability import Classes, reachable

VEX = Path(__file__).parents[4] / "images" / "openvex.json"
# By library, the folder that all its classes are in, and whose classes are all its own.
FOLDERS = {
    "com.google.code.gson:gson": "com/google/gson/",
    "com.google.guava:guava": "com/google/common/ com/google/thirdparty/",
    "com.lmax:disruptor": "com/lmax/disruptor/",
    "commons-cli:commons-cli": "org/apache/commons/cli/",
    "commons-io:commons-io": "org/apache/commons/io/",
    "io.netty:netty-*": "io/netty/",
    "io.prometheus:simpleclient": "io/prometheus/client/",
    "io.prometheus:simpleclient_common": "io/prometheus/client/exporter/common/",
    "org.apache.commons:commons-compress": "org/apache/commons/compress/",
    "org.apache.commons:commons-lang3": "org/apache/commons/lang3/",
    "org.apache.logging.log4j:log4j-api": "org/apache/logging/log4j/",
    "org.apache.logging.log4j:log4j-core": "org/apache/logging/log4j/core/",
    "org.apache.logging.log4j:log4j-slf4j2-impl": "org/apache/logging/slf4j/",
    "org.jctools:jctools-core": "io/netty/util/internal/shaded/org/jctools/",
    "org.pytorch:torchserve": "org/pytorch/serve/",
    "org.pytorch:torchserve-plugins-sdk": "org/pytorch/serve/servingsdk/",
    "org.slf4j:slf4j-api": "org/slf4j/",
    "org.yaml:snakeyaml": "org/yaml/snakeyaml/",
}


@pytest.fixture(scope="module")
def reached(libraries: list[Path]) -> set[str]:
    """The classes that can run."""
    lock = read_lock()
    classes = Classes([LAUNCHER, *libraries])
    return set(reachable(classes, classes.of_jar(LAUNCHER), lock.unused, lock.absent).referrers)


@pytest.fixture(scope="module")
def statements() -> list[dict[str, Any]]:
    document = json.loads(VEX.read_text())
    assert document["@context"] == "https://openvex.dev/ns/v0.2.0"
    found: list[dict[str, Any]] = document["statements"]
    return found


def test_every_library_is_named_and_every_name_is_there(libraries: list[Path]) -> None:
    named = {
        f"{found.group}:{'netty-*' if found.name.startswith('netty-') else found.name}"
        for jar in libraries
        for found in libraries_in(jar)
    }
    assert named == set(FOLDERS)
    folders = [folder for line in FOLDERS.values() for folder in line.split()]
    used = set()
    for jar in libraries:
        with zipfile.ZipFile(jar) as content:
            for name in content.namelist():
                if name.endswith(".class") and not name.endswith("module-info.class"):
                    path = re.sub(r"^META-INF/versions/\d+/", "", name)
                    owner = max(
                        (folder for folder in folders if path.startswith(folder)), key=len, default=None
                    )
                    assert owner is not None, f"{jar.name}: {name} is of no library that the papers name"
                    used.add(owner)
    assert used == set(folders)


def test_versions_are_those_of_the_file_names(libraries: list[Path]) -> None:
    for jar in libraries:
        found = {library.name: library for library in libraries_in(jar)}
        if jar.name != read_lock().kept_name:
            [own] = [name for name in found if jar.name.startswith(f"{name}-{found[name].version}")]
            assert found[own].purl.endswith(f"/{own}@{found[own].version}")
            assert found[own].evidence.startswith("META-INF/maven/")


def test_the_vex_speaks_of_these_versions_only(
    libraries: list[Path], statements: list[dict[str, Any]]
) -> None:
    purls = {library.purl for jar in libraries for library in libraries_in(jar)}
    products = {product["@id"] for statement in statements for product in statement["products"]}
    assert products - purls == set(), "a library has another version now: look at its statements again"


def test_each_statement_says_whether_and_why(statements: list[dict[str, Any]]) -> None:
    names = [statement["vulnerability"]["name"] for statement in statements]
    assert len(names) == len(set(names))
    for statement in statements:
        name = statement["vulnerability"]["name"]
        assert re.fullmatch(r"CVE-\d{4}-\d{4,}", name)
        assert statement["vulnerability"]["@id"].endswith(name)
        if statement["status"] == "not_affected":
            assert statement["justification"] in (
                "vulnerable_code_not_in_execute_path",
                "inline_mitigations_already_exist",
            )
            assert statement["impact_statement"]
        else:
            assert statement["status"] == "fixed"
            assert statement["status_notes"]


def test_code_that_is_said_not_to_run_can_t_be_reached(
    libraries: list[Path], reached: set[str], statements: list[dict[str, Any]]
) -> None:
    classes = Classes(libraries)
    named = {
        name
        for statement in statements
        for name in re.findall(r"refers to ([\w/]+)", statement.get("impact_statement", ""))
    }
    assert len(named) == 8
    assert {name for name in named if name not in classes} == set()
    assert named & reached == set()
    assert "io/netty/handler/codec/http/HttpObjectDecoder" in reached


def test_what_mitigates_is_in_the_pipeline(reached: set[str], statements: list[dict[str, Any]]) -> None:
    said = [
        text for statement in statements if "StrictFraming" in (text := statement.get("impact_statement", ""))
    ]
    assert len(said) == 2
    assert "vertextorchserve/http/StrictFraming" in reached
