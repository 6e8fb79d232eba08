"""Compare what is known about the Java libraries of a CycloneDX SBOM with what the VEX file says of them.

    python audit_java.py SBOM.json OPENVEX.json REPORT.json

Asks OSV's service (its address is OSV_URL, when that is set). First it is asked about a library with a known
hole: a service that finds nothing there can't be trusted with ours.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

# sysexits.h: the service is unavailable.
UNAVAILABLE = 69
_URL = "https://api.osv.dev/v1/query"
_KNOWN_HOLE = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"
_WAIT_SECONDS = 30


def main(sbom: Path, vex: Path, report: Path) -> int:
    """Returns 0 when the VEX file speaks of every hole, 1 when not, 69 when nothing could be asked."""
    purls = java_purls(json.loads(sbom.read_text()))
    said = spoken_of(json.loads(vex.read_text()))
    try:
        if not holes(_KNOWN_HOLE):
            sys.stderr.write(f"NOT AUDITED: the service knows nothing of {_KNOWN_HOLE}\n")
            return UNAVAILABLE
        found = {purl: holes(purl) for purl in purls}
    except OSError as error:
        sys.stderr.write(f"NOT AUDITED: the vulnerability service can't be reached: {error}\n")
        return UNAVAILABLE
    report.write_text(json.dumps(found, indent=1) + "\n")
    new = [
        f"{purl}: {', '.join(names)}"
        for purl, vulnerabilities in found.items()
        for names in vulnerabilities
        if not said & {(purl, name) for name in names}
    ]
    for line in new:
        sys.stderr.write(f"the VEX file says nothing of {line}\n")
    sys.stdout.write(
        f"{len(purls)} Java libraries audited, {len(new)} holes that the VEX file doesn't name\n"
    )
    return 1 if new else 0


def java_purls(sbom: dict[str, Any]) -> list[str]:
    """The package URLs of the Java libraries."""
    purls = [component.get("purl", "") for component in sbom["components"]]
    return [purl for purl in purls if purl.startswith("pkg:maven/")]


def spoken_of(vex: dict[str, Any]) -> set[tuple[str, str]]:
    """Each library with each vulnerability that the file has a statement on."""
    return {
        (product["@id"], statement["vulnerability"]["name"])
        for statement in vex["statements"]
        for product in statement["products"]
    }


def holes(purl: str) -> list[list[str]]:
    """The names of each vulnerability of the library that the service knows.

    Raises:
        OSError: When the service can't be reached, or refuses.
    """
    body = json.dumps({"package": {"purl": purl}}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(os.environ.get("OSV_URL", _URL), body, headers)  # noqa: S310 - https
    with urllib.request.urlopen(request, timeout=_WAIT_SECONDS) as answer:  # noqa: S310 - or a test's own
        vulnerabilities = json.loads(answer.read()).get("vulns", [])
    return [[found["id"], *found.get("aliases", [])] for found in vulnerabilities]


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
