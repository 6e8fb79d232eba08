"""The audit of an image's Java libraries, asking a service on loopback that answers as OSV does."""

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

from vertex_torchserve.serving.ports import free_ports

ROOT = Path(__file__).parents[4]
AUDIT = ROOT / "scripts/cloudbuild/audit_java.py"
NETTY = "pkg:maven/io.netty/netty-codec-http@4.2.13.Final"
KNOWN = {"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1": [["GHSA-jfh8-c2jp-5v3q", "CVE-2021-44228"]]}


@contextmanager
def service(holes: dict[str, list[list[str]]]) -> Iterator[str]:
    """Its address; `holes` has the names of each vulnerability by package URL."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [
                {"id": names[0], "aliases": names[1:]} for names in holes.get(query["package"]["purl"], [])
            ]
            body = json.dumps({"vulns": found} if found else {}).encode()
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
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def sbom(tmp_path: Path) -> Path:
    components = [{"purl": NETTY}, {"purl": "pkg:pypi/torch@2.13.0"}, {"name": "a.jar"}]
    path = tmp_path / "sbom.json"
    path.write_text(json.dumps({"components": components}))
    return path


def audit(sbom: Path, url: str) -> "subprocess.CompletedProcess[str]":
    report = sbom.with_name("report.json")
    command = [sys.executable, str(AUDIT), str(sbom), str(ROOT / "images/openvex.json"), str(report)]
    environment = {**os.environ, "OSV_URL": url}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_a_hole_that_the_vex_file_names(sbom: Path) -> None:
    with service({**KNOWN, NETTY: [["GHSA-hvcg-qmg6-jm4c", "CVE-2026-50020"]]}) as url:
        answer = audit(sbom, url)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "1 Java libraries audited, 0 holes that the VEX file doesn't name\n"
    report = json.loads(sbom.with_name("report.json").read_text())
    assert report == {NETTY: [["GHSA-hvcg-qmg6-jm4c", "CVE-2026-50020"]]}


def test_a_hole_that_it_doesn_t_name(sbom: Path) -> None:
    with service({**KNOWN, NETTY: [["GHSA-new", "CVE-2027-1"]]}) as url:
        answer = audit(sbom, url)
    assert answer.returncode == 1
    assert answer.stderr == f"the VEX file says nothing of {NETTY}: GHSA-new, CVE-2027-1\n"


def test_a_service_that_knows_nothing_is_not_trusted(sbom: Path) -> None:
    with service({}) as url:
        answer = audit(sbom, url)
    assert answer.returncode == 69
    assert "NOT AUDITED" in answer.stderr


def test_a_service_that_can_t_be_reached(sbom: Path) -> None:
    answer = audit(sbom, f"http://127.0.0.1:{free_ports(1)[0]}")
    assert answer.returncode == 69
    assert "can't be reached" in answer.stderr
