"""Print a CycloneDX 1.6 SBOM of the machine this runs on: an image of this project.

    python sbom.py NAME VERSION

Python distributions, Debian packages, the Java runtime, every jar by its digest, and the libraries in
the jars with what says their versions. It runs in the image, so it needs nothing but the standard library and
the toolkit; the same image gives the same bytes.
"""

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vertex_torchserve.archive_check.image_modules.listing import debian_packages
from vertex_torchserve.serving.java_libraries.contents import Library, libraries_in

# How sure a version is that Maven wrote into the jar, and one that only TorchServe's sources tell.
_CONFIDENCE = {True: 1.0, False: 0.8}

Component = dict[str, Any]


def main(name: str, version: str) -> int:
    """Print the SBOM of the image `name`, whose id is `version`; returns the exit code."""
    # Two jars can hold the same library: netty's native parts for two machines.
    components = {found["bom-ref"]: found for found in (*_python(), *_debian(), *_java(Path(sys.prefix)))}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "container", "bom-ref": "image", "name": name, "version": version}
        },
        "components": [components[reference] for reference in sorted(components)],
    }
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
    return 0


def _python() -> Iterator[Component]:
    """Every installed distribution; its license where the metadata says it as an SPDX expression."""
    for found in distributions():
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        component = _component(name, found.version, f"pkg:pypi/{name}@{quote(found.version)}")
        if "License-Expression" in found.metadata:
            component["licenses"] = [{"expression": found.metadata["License-Expression"]}]
        yield component


def _debian() -> Iterator[Component]:
    """Every installed Debian package, as dpkg knows it."""
    release = platform.freedesktop_os_release()
    for name, package in debian_packages().items():
        where = f"arch={package['architecture']}&distro={release['ID']}-{release['VERSION_ID']}"
        version = package["version"]
        yield _component(name, version, f"pkg:deb/debian/{name}@{quote(version, safe='')}?{where}")


def _java(environment: Path) -> Iterator[Component]:
    """The Java runtime, the jars, and the libraries in them."""
    for release in environment.rglob("java-runtime/release"):
        version = re.search(r'^JAVA_VERSION="(.+)"$', release.read_text(), re.MULTILINE)
        if version:
            yield _component("openjdk", version[1], f"pkg:generic/openjdk@{version[1]}")
    for jar in sorted(environment.rglob("*.jar")):
        inside = jar.relative_to(environment).as_posix()
        digest = hashlib.sha256(jar.read_bytes()).hexdigest()
        hashes = [{"alg": "SHA-256", "content": digest}]
        yield {"type": "file", "bom-ref": f"file:{inside}", "name": inside, "hashes": hashes}
        yield from map(_library, libraries_in(jar))


def _library(found: Library) -> Component:
    in_the_jar = found.evidence.startswith("META-INF/")
    confidence = _CONFIDENCE[in_the_jar]
    method = {
        "technique": "manifest-analysis" if in_the_jar else "source-code-analysis",
        "confidence": confidence,
        "value": found.evidence,
    }
    identity = {"field": "version", "confidence": confidence, "methods": [method]}
    component = _component(found.name, found.version, found.purl)
    return {**component, "group": found.group, "evidence": {"identity": [identity]}}


def _component(name: str, version: str, purl: str) -> Component:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
