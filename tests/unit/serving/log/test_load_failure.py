"""Lines of TorchServe 0.12's log, as they came."""

import json

import pytest

from vertex_torchserve.serving.log.jvm_output import EntryAssembler
from vertex_torchserve.serving.log.load_failure import LoadWatch

STDOUT = "2026-11-22T14:40:47.979Z [INFO ] W-9000-model_1.0-stdout MODEL_LOG - "
WORKER = "2026-11-22T14:40:47.981Z [WARN ] W-9000-model_1.0 "


def fed(*lines: str) -> LoadWatch:
    watch, assembler = LoadWatch(), EntryAssembler()
    entries = [entry for line in lines for entry in assembler.feed(line, at=0.0)]
    for entry in [*entries, *assembler.rest()]:
        watch.feed(entry)
    return watch


def test_a_load_that_went_well() -> None:
    watch = fed(f"{STDOUT}Torch worker started.", "Model server started.", "")
    assert not watch.failed
    assert watch.reason() == ""


TRACEBACK = (
    'Traceback (most recent call last):\n  File "handler.py", line 3, in initialize\nOSError: two lines,\n2'
)


def record(message: str, logger: str = "root") -> str:
    """The line in which a worker logs."""
    fields = {"severity": "ERROR", "logger": logger, "message": message}
    return STDOUT + json.dumps("vts-log " + json.dumps(fields))[1:-1]


def test_the_record_of_the_load_is_the_reason_whatever_was_logged_and_printed_around_it() -> None:
    watch = fed(
        record(f"going on without\n{TRACEBACK.replace('OSError', 'ImportError')}", "my.handler"),
        f"{STDOUT}Traceback (most recent call last):",
        f"{STDOUT}KeyError: 1",
        record(f"the model could not be loaded\n{TRACEBACK}", "vertex_torchserve.load"),
        record("Backend worker process died.\nTraceback\nRuntimeError: 500 - Unknown exception"),
        f"{WORKER}org.pytorch.serve.wlm.WorkerThread - 9000 Worker disconnected. WORKER_ERROR",
    )
    assert watch.failed
    assert watch.reason() == TRACEBACK


def test_a_worker_that_dies_elsewhere_says_why_itself() -> None:
    assert fed(record(f"Backend worker process died.\n{TRACEBACK}")).reason() == TRACEBACK


def test_a_worker_that_its_jvm_left_says_nothing_of_the_cause() -> None:
    left = "Traceback\n  File x.py, line 177, in _retrieve_buffer\n    sys.exit(0)\nSystemExit: 0"
    assert fed(record(f"Backend worker process died.\n{left}")).reason() == ""


def test_what_was_only_handled_is_no_reason() -> None:
    assert fed(record(f"going on without\n{TRACEBACK}")).reason() == ""


@pytest.mark.parametrize(
    "message",
    [
        "org.pytorch.serve.wlm.BatchAggregator - Load model failed: model, error: Worker died.",
        "org.pytorch.serve.ModelServer - Failed to load model: model.mar",
    ],
)
def test_without_a_traceback_torchserves_words_are_the_reason(message: str) -> None:
    watch = fed(WORKER + message)
    assert watch.failed
    assert watch.reason() == message.split(" - ", 1)[1]


def test_a_worker_that_ends_without_a_word_is_a_failed_load() -> None:
    watch = fed(f"{WORKER}org.pytorch.serve.wlm.WorkerThread - 9000 Worker disconnected. WORKER_STARTED")
    assert watch.failed
    assert watch.reason().startswith("a worker process ended while it loaded the model and did not say why")
    assert "traceback" not in watch.reason()


def test_a_traceback_that_was_printed_before_such_an_end_is_added() -> None:
    watch = fed(
        *(f"{STDOUT}{line}" for line in TRACEBACK.splitlines()),
        f"{WORKER}org.pytorch.serve.wlm.WorkerThread - 9000 Worker disconnected. WORKER_STARTED",
    )
    assert watch.reason().startswith("a worker process ended while it loaded the model and did not say why")
    assert watch.reason().endswith(f"\nthe last traceback that it printed:\n{TRACEBACK}")


def test_a_worker_that_dies_later_is_no_failed_load() -> None:
    message = "org.pytorch.serve.wlm.WorkerThread - 9000 Worker disconnected. WORKER_MODEL_LOADED"
    assert not fed(WORKER + message).failed


def test_a_handler_that_prints_such_words_is_no_failed_load() -> None:
    assert not fed(f"{STDOUT}Load model failed: model").failed


def test_a_request_that_failed_says_why() -> None:
    watch = fed(
        record(f"going on without\n{TRACEBACK}"),
        record("request 6f1c answered 500: ValueError at handler.py:2 handle"),
        record("request 6f1d answered 500: KeyError at handler.py:3 handle"),
        record("request 6f1e answered 400: it is malformed"),
    )
    assert not watch.failed
    assert watch.reason() == ""
    assert watch.reason_of("6f1d") == "KeyError at handler.py:3 handle"
    assert watch.reason_of("6f1e") == "it is malformed"
    assert watch.reason_of("") == "ValueError at handler.py:2 handle"
    assert watch.reason_of("6f1f") == ""


def test_a_request_whose_worker_died_is_told_by_that() -> None:
    assert fed(record(f"Backend worker process died.\n{TRACEBACK}")).reason_of("6f1d") == TRACEBACK


def test_a_jvm_that_ends_by_itself_is_told_by_its_own_last_error() -> None:
    watch = fed(
        record(f"Backend worker process died.\n{TRACEBACK}"),
        "Terminating due to java.lang.OutOfMemoryError: Java heap space",
        "Model server stopped.",
    )
    assert watch.reason_of_the_jvm() == "Terminating due to java.lang.OutOfMemoryError: Java heap space"


def test_a_load_that_takes_too_long_is_told_by_its_limit() -> None:
    watch = fed(
        f"{WORKER}org.pytorch.serve.wlm.WorkerThread - Backend worker error\\n"
        r"org.pytorch.serve.wlm.WorkerInitializationException: "
        r"Backend worker did not respond in given time\n\tat x"
    )
    assert watch.failed
    assert "`startupTimeout` of the archive's model-config.yaml (3600 s" in watch.reason()
