"""Print a CycloneDX 1.6 SBOM of the machine this runs on: an image of this project.

    python sbom.py NAME VERSION

Python distributions, Debian packages, the Java runtime, every jar by its digest, and netty's parts, which say
their versions inside TorchServe's one big jar. The other libraries in that jar carry no version. Standard
library only, for it runs in the image; the same image gives the same bytes.
"""

import hashlib
import json
import platform
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

_SITE_PACKAGES = "lib/python{}.{}/site-packages".format(*sys.version_info[:2])
_NETTY = "META-INF/io.netty.versions.properties"

Component = dict[str, Any]


def main(name: str, version: str) -> int:
    """Print the SBOM of the image `name`, whose id is `version`; returns the exit code."""
    site_packages = Path(sys.prefix) / _SITE_PACKAGES
    # Two jars can hold the same part of netty.
    components = {found["bom-ref"]: found for found in (*_python(), *_debian(), *_java(site_packages))}
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
    fields = "${db:Status-Status} ${Package} ${Version} ${Architecture}\n"
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat", fields], stdout=subprocess.PIPE, text=True, check=True
    )
    for line in answer.stdout.splitlines():
        status, name, version, architecture = line.split()
        if status == "installed":
            where = f"arch={architecture}&distro={release['ID']}-{release['VERSION_ID']}"
            yield _component(name, version, f"pkg:deb/debian/{name}@{quote(version, safe='')}?{where}")


def _java(site_packages: Path) -> Iterator[Component]:
    """The Java runtime, the jars, and the parts of netty in them."""
    for release in site_packages.rglob("java-runtime/release"):
        version = re.search(r'^JAVA_VERSION="(.+)"$', release.read_text(), re.MULTILINE)
        if version:
            yield _component("openjdk", version[1], f"pkg:generic/openjdk@{version[1]}")
    for jar in sorted(site_packages.rglob("*.jar")):
        inside = jar.relative_to(site_packages).as_posix()
        digest = hashlib.sha256(jar.read_bytes()).hexdigest()
        hashes = [{"alg": "SHA-256", "content": digest}]
        yield {"type": "file", "bom-ref": f"file:{inside}", "name": inside, "hashes": hashes}
        with zipfile.ZipFile(jar) as content:
            if _NETTY in content.namelist():
                yield from _netty(content.read(_NETTY).decode())


def _netty(properties: str) -> Iterator[Component]:
    for name, version in re.findall(r"^([\w-]+)\.version=(.+)$", properties, re.MULTILINE):
        yield _component(name, version, f"pkg:maven/io.netty/{name}@{version}")


def _component(name: str, version: str, purl: str) -> Component:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
