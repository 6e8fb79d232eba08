"""Python passes the `vts.*` system properties that Java reads, and no others."""

import re
from pathlib import Path

from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.jvm_command import launcher_properties

SOURCES = Path(__file__).parents[4] / "src" / "vertex_torchserve" / "serving" / "java" / "src"


def test_python_passes_what_java_reads_and_no_more() -> None:
    read = {
        name for path in SOURCES.rglob("*.java") for name in re.findall(r'"(vts\.[\w.]+)"', path.read_text())
    }
    assert (
        set(
            launcher_properties(
                Path("ready"), Path("api"), Path("abandoned"), ServingSettings.from_environment({}), "m"
            )
        )
        == read
    )
    assert read == {
        "vts.ready.file",
        "vts.api.file",
        "vts.public.metrics",
        "vts.abandoned.file",
        "vts.routes",
        "vts.drain.delay.seconds",
        "vts.drain.limit.seconds",
        "vts.request.timeout.seconds",
        "vts.read.timeout.seconds",
        "vts.idle.timeout.seconds",
        "vts.slowest.bytes.per.second",
        "vts.connections",
        "vts.load.retry.seconds",
        "vts.form.fields",
        "vts.form.urlencoded.bytes",
        "vts.form.part.header.bytes",
    }


def test_java_has_no_defaults_for_them() -> None:
    """`System.getProperty(name, value)` is how Java would have one."""
    with_default = [
        path.name for path in SOURCES.rglob("*.java") if re.search(r"getProperty\([^)]*,", path.read_text())
    ]
    assert with_default == []
