"""Audit the Python packages of a CycloneDX SBOM with pip-audit.

    python audit.py SBOM.json IGNORED.txt REPORT.json

First a package with a known hole is audited: a service that finds nothing there can't be trusted with ours.
The report is pip-audit's own JSON.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

# sysexits.h: the service is unavailable.
UNAVAILABLE = 69
# PYSEC-2018-28: passwords sent on to another host.
_KNOWN_HOLE = "requests==2.19.0"
# Not from PyPI, so nothing there speaks of it.
_OURS = "vertex-torchserve"


def main(sbom: Path, ignored: Path, report: Path) -> int:
    """Returns 0 without findings, 1 with findings, 2 for a bad file, 69 when nothing could be audited."""
    packages = requirements(json.loads(sbom.read_text()))
    ids, without_reason = ignored_ids(ignored.read_text())
    if without_reason:
        sys.stderr.write(f"{ignored}: write the reason behind {', '.join(without_reason)}\n")
        return 2
    known = _pip_audit([_KNOWN_HOLE], [], report)
    if known.returncode != 1 or not report.exists() or '"fix_versions"' not in report.read_text():
        report.unlink(missing_ok=True)
        sys.stderr.write(known.stderr[-1000:])
        sys.stderr.write(
            f"NOT AUDITED: the vulnerability service knows nothing of {_KNOWN_HOLE}, which has a known hole: "
            "it can't be reached from here\n"
        )
        return UNAVAILABLE
    report.unlink()
    audit = _pip_audit(packages, ids, report)
    sys.stderr.write(audit.stderr)
    sys.stdout.write(
        f"{len(packages)} packages audited, {len(ids)} ids ignored, exit code {audit.returncode}\n"
    )
    return audit.returncode


def requirements(sbom: dict[str, list[dict[str, str]]]) -> list[str]:
    """`name==version` of each Python package but ours, without a local label (`+cpu`): PyPI knows none."""
    return [
        f"{component['name']}=={component['version'].partition('+')[0]}"
        for component in sbom["components"]
        if component.get("purl", "").startswith("pkg:pypi/") and component["name"] != _OURS
    ]


def ignored_ids(text: str) -> tuple[list[str], list[str]]:
    """The ids of the file, and those of them that stand there without a reason."""
    lines = [
        line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")
    ]
    return [words[0] for words in lines], [words[0] for words in lines if len(words) == 1]


def _pip_audit(packages: list[str], ids: list[str], report: Path) -> subprocess.CompletedProcess[str]:
    """Run pip-audit on exact versions; strict: what it could not look up is an error."""
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("\n".join(packages) + "\n")
        ignores = [word for name in ids for word in ("--ignore-vuln", name)]
        # fmt: off
        return subprocess.run(
            [
                sys.executable, "-m", "pip_audit", "--strict", "--no-deps", "--disable-pip",
                "--progress-spinner", "off", "--requirement", listed, "--format", "json",
                "--output", report, *ignores,
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
        )
        # fmt: on


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
