"""A report of a smoke test that passed, and one whose handler wrote what must not reach a page as it is."""

from pathlib import Path

from vertex_torchserve.archive_check.finding import Finding, Severity
from vertex_torchserve.serving.archive.answer_differences import Difference
from vertex_torchserve.serving.log.entry import LogEntry
from vertex_torchserve.serving.log.phases import Phase
from vertex_torchserve.smoke_test.report import (
    Check,
    ImageComparison,
    LoadStep,
    PackageDifference,
    SmokeTestReport,
)

HOSTILE = '\x1b[31m</pre><script>alert("é")</script> & ]]> [/red] {{ 7 * 7 }} \x00\ud800\u202e'
AS_SHOWN = '</pre><script>alert("é")</script> & ]]> [/red] {{ 7 * 7 }} \ufffd\ufffd\ufffd'

PASSED = SmokeTestReport(
    mar_path=Path("/models/model.mar"),
    model_name="model",
    size_bytes=91_600_000,
    sha256="ab" * 32,
    started_at="2026-11-25T12:00:00+00:00",
    seconds=21.5,
    ready_seconds=9.25,
    checks=(
        Check("archive", True, "91600000 bytes, every member intact", 0.25),
        Check("ready", True, "ready after 9.25 s", 9.25),
        Check("status", True, "status 200 in 0.040 s", 0.04),
    ),
    phases=(Phase("fetch", 0.5), Phase("JVM", 2.25), Phase("load", 6.5), Phase("first answer", 0.04)),
    load=(
        LoadStep(clients=1, seconds=1.25, answered=50, failed=0, median_ms=20.0, p95_ms=30.0),
        LoadStep(clients=2, seconds=1.25, answered=75, failed=0, median_ms=32.0, p95_ms=47.5),
    ),
    findings=(Finding(Severity.WARNING, "handler.py:3", "imports cv2", "package it", rule="imports"),),
    log_problems=(LogEntry("WARNING", "2026-11-25T12:00:01.000+00:00", "jvm", "jvm", "netty is of 2020"),),
    sizing="1 worker of 2 threads, batches of 16",
    served_as={"predict route": "/predictions/model", "variables": "THRESHOLD"},
    comparison=ImageComparison(
        "the serving image",
        ("Python", "torch", "transformers"),
        (PackageDifference("transformers", "5.23.0", "5.20.0"),),
    ),
    not_covered=("proved with transformers 5.23.0, the serving image has 5.20.0",),
    versions={"Python": "3.11.7", "torch": "2.13.0+cpu"},
    predictions=[{"label": "POSITIVE", "score": 0.75}],
)
FAILED = SmokeTestReport(
    mar_path=Path(f"/models/{HOSTILE[5:30].replace('/', '')}.mar"),
    model_name="model",
    image=f"registry/{HOSTILE}",
    checks=(Check("archive", True, "intact", 0.1), Check("ready", False, f"first line\n{HOSTILE}", 1.5)),
    phases=(Phase("fetch", 0.5), Phase("JVM", 0.0, ended=False)),
    findings=(Finding(Severity.ERROR, HOSTILE, HOSTILE, HOSTILE, rule="imports"),),
    log_problems=(LogEntry("ERROR", HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
    served_as={"predict route": HOSTILE},
    differences=(
        Difference("predictions[0].score", 0.75, 0.5, 0.25, ""),
        Difference("predictions[0].label", "POSITIVE", HOSTILE, None, ""),
    ),
    comparison=ImageComparison(HOSTILE, (HOSTILE,), ()),
    not_covered=(HOSTILE,),
    versions={HOSTILE: HOSTILE},
    predictions=[HOSTILE],
)
