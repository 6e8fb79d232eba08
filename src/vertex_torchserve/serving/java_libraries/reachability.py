"""Which classes can be reached from those that run first: by references, service files and names in texts."""

import zipfile
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vertex_torchserve.serving.java_libraries.class_file import ClassFile, References, read_class

_CLASS, _SERVICES, _VERSIONS = ".class", "META-INF/services/", "META-INF/versions/"


class Classes:
    """The classes of several jars, as the JVM finds them: the first jar that has one.

    Args:
        jars: In the order of the class path.
    """

    def __init__(self, jars: Iterable[Path]) -> None:
        self._files: dict[str, list[tuple[zipfile.ZipFile, str]]] = {}
        self._jar: dict[str, Path] = {}
        self._services: dict[str, set[str]] = {}
        for path in jars:
            jar = zipfile.ZipFile(path)
            for entry in jar.namelist():
                if entry.endswith(_CLASS):
                    self._add(path, jar, entry)
                elif entry.startswith(_SERVICES) and not entry.endswith("/"):
                    lines = jar.read(entry).decode().splitlines()
                    names = {line.partition("#")[0].strip().replace(".", "/") for line in lines} - {""}
                    self._services.setdefault(entry.removeprefix(_SERVICES), set()).update(names)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def jar_of(self, name: str) -> Path:
        """The jar that the class comes from."""
        return self._jar[name]

    def of_jar(self, jar: Path) -> list[str]:
        """The classes that come from the jar."""
        return [name for name, path in self._jar.items() if path == jar]

    def providers(self, service: str) -> set[str]:
        """What the jars offer as implementations of the class `service`."""
        return self._services.get(service.replace("/", "."), set())

    def read(self, name: str) -> list[ClassFile]:
        """The class, and its variants for newer Javas."""
        return [read_class(jar.read(entry)) for jar, entry in self._files[name]]

    def _add(self, path: Path, jar: zipfile.ZipFile, entry: str) -> None:
        name = entry.removesuffix(_CLASS)
        if name.startswith(_VERSIONS):
            name = name.removeprefix(_VERSIONS).partition("/")[2]
        if self._jar.setdefault(name, path) == path:
            self._files.setdefault(name, []).append((jar, entry))


@dataclass(frozen=True)
class Reached:
    """What can be reached.

    Attributes:
        referrers: For each class one that refers to it; an empty text for those that run first.
        kinds: For each class what it is and has: superclass, interfaces, types of fields.
        calls: The calls made, as (class, name and descriptor of the method).
    """

    referrers: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    calls: set[tuple[str, str]] = field(default_factory=set)

    def way_to(self, name: str) -> str:
        """The classes from the first one to `name`, for a message."""
        way = [name]
        while self.referrers[way[-1]]:
            way.append(self.referrers[way[-1]])
        return " -> ".join(reversed(way))


def reachable(
    classes: Classes,
    first: Iterable[str],
    unused: Mapping[str, Collection[str]],
    absent: Collection[tuple[str, str]],
) -> Reached:
    """Every class that the first ones can come to, however long the way.

    A class that is reached counts with all its methods, but those that `unused` names. A text that is the
    name of a class counts as a reference to it, and a reference to a service as one to those who offer it.

    Args:
        classes: Where classes are looked for; what is not there is passed over.
        first: The classes to begin with.
        unused: By class, the methods that are not followed: names, or names and descriptors.
        absent: Pairs of classes; the reference from the second to the first is not followed.
    """
    reached = Reached()
    waiting = deque((name, "") for name in first)
    while waiting:
        name, referrer = waiting.popleft()
        if name in reached.referrers or name not in classes or (name, referrer) in absent:
            continue
        reached.referrers[name] = referrer
        found = References()
        variants = classes.read(name)
        for variant in variants:
            found.add(variant.own)
        reached.kinds[name] = set(found.classes)
        for variant in variants:
            for method, references in variant.methods.items():
                if not {method, method.partition("(")[0]} & set(unused.get(name, ())):
                    found.add(references)
        reached.calls.update(found.methods)
        by_name = {text.replace(".", "/") for text in found.texts}
        others = found.classes | by_name | classes.providers(name)
        waiting.extend((other, name) for other in sorted(others))
    return reached
