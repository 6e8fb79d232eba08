"""Prove that nothing that runs refers to what was left out of TorchServe's jar."""

import struct
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from vertex_torchserve.serving.java_libraries.lock import Lock
from vertex_torchserve.serving.java_libraries.reachability import Classes, reachable

_LOG4J_PLUGINS = "META-INF/org/apache/logging/log4j/core/config/plugins/Log4j2Plugins.dat"


def objections(lock: Lock, launcher: Path, libraries: Sequence[Path], torchserve: Path) -> list[str]:
    """Why these jars can't serve as they are; an empty list when they can.

    What runs is what can be reached from the launcher's classes and from log4j's plugins, which log4j finds
    by a table in its jar. What neither these jars nor TorchServe's have is not objected to: netty and log4j
    can use much that is optional, and do without it under TorchServe's own jar too.

    Args:
        lock: What is kept, unused and absent.
        launcher: Our own jar, whose classes run first.
        libraries: What will be on the class path beside it.
        torchserve: TorchServe's own jar, to know what was left out.
    """
    classes = Classes([launcher, *libraries, torchserve])
    first = classes.of_jar(launcher) + [name for jar in libraries for name in _log4j_plugins(jar)]
    reached = reachable(classes, first, lock.unused, lock.absent)
    names = reached.referrers.keys()
    left_out = {name for name in names if classes.jar_of(name) == torchserve}
    # What a class that was left out refers to in turn is no news.
    first_ones = [name for name in names if name in left_out and reached.referrers[name] not in left_out]
    wrong = [f"left out, but reached: {reached.way_to(name)}" for name in first_ones]
    for owner, method in sorted(reached.calls):
        for name, methods in lock.unused.items():
            of_this_kind = owner == name or name in reached.kinds.get(owner, ())
            if of_this_kind and {method, method.partition("(")[0]} & set(methods):
                wrong.append(f"said to be unused, but called: {owner}.{method}")
    used = {classes.jar_of(name) for name in names}
    wrong += [f"nothing refers to {jar.name}" for jar in libraries if classes.of_jar(jar) and jar not in used]
    wrong += [
        f"nothing refers to {library.name}"
        for library in lock.kept
        if not any(library.has(name) for name in names)
    ]
    return wrong


def _log4j_plugins(jar: Path) -> Iterator[str]:
    """The classes in log4j's table of plugins, where the jar has one, as its PluginCache reads it."""
    with zipfile.ZipFile(jar) as content:
        if _LOG4J_PLUGINS not in content.namelist():
            return
        table = content.read(_LOG4J_PLUGINS)
    at = 4
    for _category in range(struct.unpack_from(">i", table)[0]):
        _name, at = _text(table, at)
        (plugins,) = struct.unpack_from(">i", table, at)
        at += 4
        for _plugin in range(plugins):
            _key, at = _text(table, at)
            name, at = _text(table, at)
            _element, at = _text(table, at)
            at += 2  # two flags
            yield name.replace(".", "/")


def _text(table: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">H", table, at)
    return table[at + 2 : at + 2 + length].decode(), at + 2 + length
