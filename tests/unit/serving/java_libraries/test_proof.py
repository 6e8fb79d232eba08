"""The proof that nothing that runs refers to what was left out, and what makes it fail."""

import zipfile
from dataclasses import replace
from pathlib import Path

from vertex_torchserve.serving.java_libraries.class_path import torchserve_jar
from vertex_torchserve.serving.java_libraries.lock import read_lock
from vertex_torchserve.serving.java_libraries.make import LAUNCHER
from vertex_torchserve.serving.java_libraries.proof import objections

SERVER = "org/pytorch/serve/ModelServer"


def test_nothing_that_runs_refers_to_what_was_left_out(libraries: list[Path]) -> None:
    assert objections(read_lock(), LAUNCHER, libraries, torchserve_jar()) == []


def test_what_the_proof_objects_to(libraries: list[Path], tmp_path: Path) -> None:
    lock = read_lock()
    spare = tmp_path / "spare.jar"
    with zipfile.ZipFile(LAUNCHER) as source, zipfile.ZipFile(spare, "w") as jar:
        jar.writestr("nobody/Uses.class", source.read("vertextorchserve/Settings.class"))
    broken = replace(
        lock,
        unused={SERVER: (*lock.unused[SERVER], "startRESTserver")},  # and RegisterModelRequest is followed
        absent=frozenset(pair for pair in lock.absent if pair[0] != "io/grpc/Server"),
    )
    without_io = [jar for jar in libraries if not jar.name.startswith("commons-io")]
    found = objections(broken, LAUNCHER, [*without_io, spare], torchserve_jar())
    assert (
        f"left out, but reached: vertextorchserve/WatchedModelServer -> {SERVER} -> io/grpc/Server" in found
    )
    assert any(line.endswith("-> org/pytorch/serve/util/GRPCUtils -> io/grpc/Status") for line in found)
    assert any(line.endswith("-> org/apache/commons/io/FileUtils") for line in found)
    called = "said to be unused, but called: vertextorchserve/WatchedModelServer.startRESTserver()"
    assert f"{called}Ljava/util/List;" in found
    assert "nothing refers to spare.jar" in found
