"""The program of the GPU proof: what becomes of its parts, and its page."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.gpu_proof.load_client import run_load
from benchmarks.gpu_proof.own_process import found_in_own_process
from benchmarks.gpu_proof.page import page
from benchmarks.gpu_proof.part_table import PARTS
from benchmarks.gpu_proof.parts.device_choice import expected_place
from benchmarks.gpu_proof.run import run_parts
from testbed.deadlines import MOMENT_SECONDS, PROGRAM_SECONDS
from testbed.processes import wait_until

PROOF_PARTS = "tests.unit.benchmarks.proof_parts"


def test_a_part_that_fails_is_an_entry_with_what_it_had_found() -> None:
    finding = found_in_own_process(f"{PROOF_PARTS}.raises", PROGRAM_SECONDS, short=True)
    assert finding.outcome == "failed"
    assert finding.said.startswith("exit code 1; it wrote: ")
    assert finding.said.endswith("RuntimeError: the GPU has fallen off the bus")
    [row] = finding.rows
    assert row["scratch"] is True


def test_a_part_is_ended_at_its_deadline_with_what_it_started() -> None:
    finding = found_in_own_process(f"{PROOF_PARTS}.hangs", 4, short=True)
    assert finding.outcome == "out of time"
    child = re.search(r"child (\d+)", finding.said)
    if child:  # a killed process takes a moment to end
        wait_until(lambda: _is_gone(int(child[1])), MOMENT_SECONDS, "the child is gone")
    assert finding.said.startswith("ended after 4 s; it wrote: ")


def _is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_runs_here_and_says_what_it_did_not_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["device_choice", "out_of_memory"]
    assert run_parts(tmp_path, names, 150.0, short=True) == 0
    report = json.loads((tmp_path / "gpu_proof.json").read_text())
    assert [part["name"] for part in report["parts"]] == names
    if report["device"]["measured"]:
        pytest.skip(
            "A GPU IS HERE: what is said without one can't be seen (run make gpu-proof-cpu elsewhere)"
        )
    assert [part["outcome"] for part in report["parts"]] == ["right", "not measured"]
    assert report["device"]["said"] == "CUDA was not measured: this machine has no GPU that torch can use."
    assert report["device"]["said"] in capsys.readouterr().out
    assert report["device"]["said"] in (tmp_path / "gpu_proof.html").read_text()
    assert report["parts"][0]["rows"][1] == {
        "gpu_id": 0, "handler.dtype": "auto", "device": "cpu", "dtype of weights": "float32",
    }  # fmt: skip


def test_no_time_left_and_no_such_part(tmp_path: Path) -> None:
    assert run_parts(tmp_path, ["cold_start"], 0.0, short=True) == 1
    [part] = json.loads((tmp_path / "gpu_proof.json").read_text())["parts"]
    assert (part["outcome"], part["said"]) == ("out of time", "the 0 minutes were over before it began")
    with pytest.raises(
        SystemExit, match="no part is called warp_drive; accepted: device_choice, minilm_speed,"
    ):
        run_parts(tmp_path, ["warp_drive"], 1.0, short=True)


def test_each_part_has_its_file_and_its_line_in_the_document() -> None:
    root = Path(__file__).parents[3]
    document = (root / "docs/gpu-proof.md").read_text()
    files = {path.stem for path in (root / "benchmarks/gpu_proof/parts").glob("*.py")}
    assert {part.name for part in PARTS} == files - {"__init__", "speed"}
    assert re.findall(r"^\| `(\w+)` \| ", document, re.M) == [part.name for part in PARTS]


def test_a_place_without_a_gpu() -> None:
    assert expected_place(0, "auto", gpus=0) == ("cpu", "float32")
    assert expected_place(None, "float16", gpus=2) == ("cpu", "float16")
    assert expected_place(1, "float32", gpus=2) == ("cuda:1", "float32")


def test_the_page_shows_every_row_and_escapes(tmp_path: Path) -> None:
    step = {"clients": 8, "seconds": 2.0, "answered": 500, "failed": 0, "median_ms": 31.0, "p95_ms": 40.0}
    parts = [
        {"name": "one", "title": "The <first>", "took": 3.0, "outcome": "wrong", "said": "it is <b>wrong</b>",
         "rows": [{"way": "server", "GPU busy": 0.83}, {"way": "pipeline", "clients": 8}], "steps": [step]},
    ]  # fmt: skip
    machine = {"cpu": "a CPU", "instruction_sets": ["AVX2"], "cores": 2, "system": "Linux x86_64"}
    report: dict[str, Any] = {
        "date": "2026-11-26", "machine": machine, "device": {"measured": True, "said": "1 x H100"},
        "versions": {"torch": "2.13.0"}, "short": False, "parts": parts,
    }  # fmt: skip
    shown = page(report)
    assert "The &lt;first&gt;" in shown
    assert "it is &lt;b&gt;wrong&lt;/b&gt;" in shown
    assert "<th>way</th><th>GPU busy</th><th>clients</th>" in shown
    assert "<td>server</td><td>0.83</td><td></td>" in shown
    assert "not all right" in shown
    assert 'aria-label="Answers in a second by the number of clients"' in shown


class Answers(http.server.BaseHTTPRequestHandler):
    """Every fifth request of a connection is refused."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert len(body["instances"]) == 3
        answer = b'{"predictions": [1, 2, 3]}'
        self.count = getattr(self, "count", 0) + 1
        self.send_response(503 if self.count == 5 else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_clients_count_answers_and_failures(port: int) -> None:
    """Each client ends at its first failure, its fifth request, long before its time is up."""
    step = run_load(port, "/predictions/model", {}, 3, 2, PROGRAM_SECONDS)
    assert (step.clients, step.answered, step.failed) == (2, 8, 2)
    assert 0 < step.median_ms <= step.p95_ms
