"""The audit of an image: pip-audit itself, asking a service on loopback that speaks as OSV does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[4]
AUDIT = ROOT / "scripts/cloudbuild/audit.py"
IGNORED = ROOT / "scripts/cloudbuild/audit_ignored.txt"
OLD_REQUESTS = ("requests", "2.19.0")


@contextmanager
def vulnerability_service(*holes: tuple[str, str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Its address, and what it is asked; each of `holes` is a package and a version with HOLE-<package>."""
    asked: list[tuple[str, str]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            package = (query["package"]["name"], query["version"])
            asked.append(package)
            found = {"id": f"HOLE-{package[0]}", "summary": "a hole", "affected": []}
            body = json.dumps({"vulns": [found]} if package in holes else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def sbom(tmp_path: Path) -> Path:
    components = [
        {"name": "torch", "version": "2.13.0+cpu", "purl": "pkg:pypi/torch@2.13.0%2Bcpu"},
        {"name": "numpy", "version": "2.4.6", "purl": "pkg:pypi/numpy@2.4.6"},
        {"name": "vertex-torchserve", "version": "0.1.0", "purl": "pkg:pypi/vertex-torchserve@0.1.0"},
        {"name": "bash", "version": "5.2", "purl": "pkg:deb/debian/bash@5.2"},
        {"name": "ts/frontend/model-server.jar"},
    ]
    path = tmp_path / "sbom.json"
    path.write_text(json.dumps({"components": components}))
    return path


def audit(sbom: Path, url: str, ignored: Path = IGNORED) -> "subprocess.CompletedProcess[str]":
    service = {"PIP_AUDIT_VULNERABILITY_SERVICE": "osv", "PIP_AUDIT_OSV_URL": url}
    command = [sys.executable, str(AUDIT), str(sbom), str(ignored), str(sbom.with_name("report.json"))]
    environment = {**os.environ, **service, "XDG_CACHE_HOME": str(sbom.parent)}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def report(sbom: Path) -> dict[str, list[str]]:
    """The ids found, by package."""
    dependencies = json.loads(sbom.with_name("report.json").read_text())["dependencies"]
    return {found["name"]: [hole["id"] for hole in found["vulns"]] for found in dependencies}


def test_nothing_found(sbom: Path) -> None:
    with vulnerability_service(OLD_REQUESTS) as (url, asked):
        answer = audit(sbom, url)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "2 packages audited, 0 ids ignored, exit code 0\n"
    assert report(sbom) == {"torch": [], "numpy": []}
    # The label of the build is none that a service knows.
    assert asked == [OLD_REQUESTS, ("torch", "2.13.0"), ("numpy", "2.4.6")]


def test_a_finding_fails_until_it_is_ignored_with_a_reason(sbom: Path, tmp_path: Path) -> None:
    with vulnerability_service(OLD_REQUESTS, ("numpy", "2.4.6")) as (url, _):
        assert audit(sbom, url).returncode == 1
        assert report(sbom) == {"torch": [], "numpy": ["HOLE-numpy"]}
        ignored = tmp_path / "ignored.txt"
        ignored.write_text("# a comment\nHOLE-numpy\n")
        answer = audit(sbom, url, ignored)
        assert answer.returncode == 2
        assert "write the reason behind HOLE-numpy" in answer.stderr
        ignored.write_text("HOLE-numpy only in a function that nothing here calls\n")
        answer = audit(sbom, url, ignored)
        assert answer.returncode == 0, answer.stderr


def test_a_service_that_knows_no_holes_at_all_has_audited_nothing(sbom: Path) -> None:
    with vulnerability_service() as (url, asked):
        answer = audit(sbom, url)
    assert answer.returncode == 69
    assert "NOT AUDITED" in answer.stderr
    assert asked == [OLD_REQUESTS]
    assert not sbom.with_name("report.json").exists()


def test_a_service_that_is_not_there(sbom: Path) -> None:
    with vulnerability_service() as (url, _):
        pass
    answer = audit(sbom, url)
    assert answer.returncode == 69
    assert "NOT AUDITED" in answer.stderr
    assert not sbom.with_name("report.json").exists()


def test_every_committed_exception_has_its_reason() -> None:
    lines = [line for line in IGNORED.read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if len(line.split(maxsplit=1)) != 2] == []
