"""How long each part of a start took, by the log."""

from datetime import UTC, datetime, timedelta

from vertex_torchserve.serving.log.phases import Phase, ServerLog

STARTED = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
OWN = "MainThread vertex_torchserve.serving"


def log(*entries: tuple[float, str]) -> str:
    """Entries as text, each at its second after the start."""
    lines = []
    for seconds, rest in entries:
        time = (STARTED + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
        lines.append(f"{time} {rest}\n")
    return "".join(lines)


def read(text: str, ended: float = 60.0) -> ServerLog:
    return ServerLog.of(text, STARTED, STARTED + timedelta(seconds=ended))


BEGINNING = (
    (0.5, f"[INFO    ] {OWN}.archive.store - found /mnt/models/m.mar: 91 bytes"),
    (0.75, f"[INFO    ] {OWN}.entrypoint - unpacked /mnt/models/m.mar: 91 bytes"),
    (0.8, f"[INFO    ] {OWN}.entrypoint - serving with 2 workers of 1 threads, batches of 16"),
)
LISTENING = (3.0, "[INFO    ] jvm jvm - Model server started.")
LOADED = (9.0, f"[INFO    ] ready-check {OWN}.health.ready_check - the model is loaded after 8.0 s")
READY = (10.5, f"[INFO    ] ready-check {OWN}.health.ready_check - ready after 9.5 s")
GOLDEN = (9.0, f"[INFO    ] ready-check {OWN}.health.ready_check - sending the golden request")
INSTALLING = (1.25, "[INFO ] main o.p.ModelManager - Created virtual environment for model m: /tmp/v")
INSTALLED = (2.25, "[INFO ] main o.p.ModelManager - Installed custom pip packages for model m")


def test_all_of_them() -> None:
    found = read(log(*BEGINNING, INSTALLING, INSTALLED, LISTENING, LOADED, GOLDEN, READY))
    assert found.phases == (
        Phase("fetch", 0.5),
        Phase("unpack", 0.25),
        Phase("JVM", 1.25),
        Phase("install", 1.0),
        Phase("load", 6.0),
        Phase("golden", 1.5),
    )
    assert found.sizing == "2 workers of 1 thread, batches of 16"
    assert found.problems == ()


def test_neither_requirements_nor_a_golden_request() -> None:
    found = read(log(*BEGINNING, LISTENING, LOADED, READY))
    assert [phase.name for phase in found.phases] == ["fetch", "unpack", "JVM", "load"]


def test_the_phase_in_which_it_failed_has_no_end() -> None:
    failed = (
        20.0,
        f"[ERROR   ] MainThread {OWN}.torchserve.jvm_process - the model could not be loaded\nwhy",
    )
    found = read(log(*BEGINNING, LISTENING, failed), ended=21.0)
    assert found.phases[-1] == Phase("load", 18.0, ended=False)
    assert [(entry.severity, entry.message) for entry in found.problems] == [
        ("ERROR", "the model could not be loaded\nwhy")
    ]
    installing = read(log(*BEGINNING, INSTALLING), ended=5.25)
    assert installing.phases[-1] == Phase("install", 4.0, ended=False)


def test_what_a_handler_prints_ends_no_phase() -> None:
    printed = (1.0, "[INFO ] W-9000-m_1.0-stdout MODEL_LOG - ready after 0.1 s")
    found = read(log(*BEGINNING, printed, LISTENING, LOADED, READY))
    assert [phase.name for phase in found.phases] == ["fetch", "unpack", "JVM", "load"]


def test_another_servers_log_tells_nothing() -> None:
    assert read("Uvicorn running on http://0.0.0.0:8080\n") == ServerLog((), "", ())
