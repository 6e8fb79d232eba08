"""Lines of TorchServe 0.12's log, as they came."""

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


def test_the_first_traceback_is_the_reason() -> None:
    watch = fed(
        f"{STDOUT}Traceback (most recent call last):",
        f'{STDOUT}  File "handler.py", line 3, in initialize',
        f"{STDOUT}OSError: two lines,",
        f"{STDOUT}the second one",
        f"{STDOUT}Backend worker process died.",
        f"{STDOUT}Traceback (most recent call last):",
        f"{STDOUT}RuntimeError: 500 - Unknown exception",
        f"{WORKER}org.pytorch.serve.wlm.WorkerThread - 9000 Worker disconnected. WORKER_ERROR",
    )
    assert watch.failed
    assert watch.reason() == (
        "Traceback (most recent call last):\n"
        '  File "handler.py", line 3, in initialize\n'
        "OSError: two lines,\nthe second one"
    )


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


def test_a_chain_of_exceptions_is_told_from_its_first() -> None:
    watch = fed(
        STDOUT + r"vts-log {\"severity\": \"ERROR\", \"logger\": \"root\", \"message\": "
        r"\"Backend worker process died.\\n"
        r"Traceback (most recent call last):\\n  ...\\nImportError: no spacy\\n\\n"
        r"During handling of the above exception, another exception occurred:\\n\\n"
        r"Traceback (most recent call last):\\n  ...\\nModuleNotFoundError: ts.torch_handler.handler\"}"
    )
    assert watch.reason() == "Traceback (most recent call last):\n  ...\nImportError: no spacy"


def test_a_worker_that_ends_without_a_word_is_a_failed_load() -> None:
    watch = fed(f"{WORKER}org.pytorch.serve.wlm.WorkerThread - 9000 Worker disconnected. WORKER_STARTED")
    assert watch.failed
    assert watch.reason().startswith("a worker process ended while it loaded the model and did not say why")


def test_a_worker_that_dies_later_is_no_failed_load() -> None:
    message = "org.pytorch.serve.wlm.WorkerThread - 9000 Worker disconnected. WORKER_MODEL_LOADED"
    assert not fed(WORKER + message).failed


def test_a_handler_that_prints_such_words_is_no_failed_load() -> None:
    assert not fed(f"{STDOUT}Load model failed: model").failed


def test_a_request_that_failed_says_why() -> None:
    watch = fed(f"{STDOUT}request 6f1d answered 500: KeyError at handler.py:3 handle")
    assert not watch.failed
    assert watch.reason() == "KeyError at handler.py:3 handle"
    assert fed(f"{STDOUT}request 6f1d answered 400: it is malformed").reason() == ""


def test_a_load_that_takes_too_long_is_told_by_its_limit() -> None:
    watch = fed(
        f"{WORKER}org.pytorch.serve.wlm.WorkerThread - Backend worker error\\n"
        r"org.pytorch.serve.wlm.WorkerInitializationException: "
        r"Backend worker did not respond in given time\n\tat x"
    )
    assert watch.failed
    assert "`startupTimeout` of the archive's model-config.yaml (3600 s" in watch.reason()
