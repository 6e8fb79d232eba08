"""What a class file refers to, read from classes that javac made."""

import zipfile
from pathlib import Path

from vertex_torchserve.serving.java_libraries.class_file import ClassFile, read_class
from vertex_torchserve.serving.java_libraries.make import LAUNCHER

MAIN = "main([Ljava/lang/String;)V"


def class_of(name: str, jar: Path = LAUNCHER) -> ClassFile:
    with zipfile.ZipFile(jar) as content:
        return read_class(content.read(f"{name}.class"))


def test_a_method_has_its_own_calls_and_texts() -> None:
    methods = class_of("vertextorchserve/Launcher").methods
    assert ("vertextorchserve/Launcher", "start([Ljava/lang/String;)V") in methods[MAIN].methods
    assert "log4j.shutdownHookEnabled" in methods[MAIN].texts
    assert "vertextorchserve/WatchedModelServer" not in methods[MAIN].classes
    started = methods["start([Ljava/lang/String;)V"]
    assert "vertextorchserve/WatchedModelServer" in started.classes
    assert {"ping", "workflows"} <= started.texts


def test_what_is_caught_counts() -> None:
    caught = class_of("vertextorchserve/Launcher").methods[MAIN].classes
    assert {"org/apache/commons/cli/ParseException", "java/lang/IllegalArgumentException"} <= caught


def test_superclass_interfaces_and_types_of_fields() -> None:
    kinds = class_of("vertextorchserve/WatchedModelServer").own.classes
    assert {
        "org/pytorch/serve/ModelServer",
        "vertextorchserve/drain/DrainedServer",
        "vertextorchserve/Settings",
        "io/netty/channel/ChannelFuture",  # only in the type List<ChannelFuture>
    } <= kinds


def test_every_class_of_the_libraries_can_be_read(libraries: list[Path]) -> None:
    read = 0
    for jar in libraries:
        if jar.name.startswith(("torchserve", "netty-buffer", "gson")):
            with zipfile.ZipFile(jar) as content:
                for name in content.namelist():
                    if name.endswith(".class"):
                        read_class(content.read(name))
                        read += 1
    assert read > 700
