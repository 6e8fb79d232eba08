"""Lines of the JVM's standard output, and the entries they make."""

import os
import sys
import threading
import time

import pytest

from vertex_torchserve.serving.log.entry import LogEntry
from vertex_torchserve.serving.log.jvm_output import EntryAssembler, LogPipe

TIME = "2026-11-22T14:40:47.979Z"
WORKER = "W-9000-model_1.0-stdout"
STDOUT = f"{TIME} [INFO ] {WORKER} MODEL_LOG - "
STDERR = f"{TIME} [WARN ] W-9000-model_1.0-stderr MODEL_LOG - "


def entries(*lines: str) -> list[tuple[str, str, str]]:
    """Severity, logger and message of each entry, with what still waited at the end."""
    assembler = EntryAssembler()
    complete = [entry for line in lines for entry in assembler.feed(line, at=0.0)]
    return [(entry.severity, entry.logger, entry.message) for entry in [*complete, *assembler.rest()]]


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (
            f"{TIME} [INFO ] main org.pytorch.serve.ModelServer - Loading initial models: model",
            LogEntry("INFO", TIME, "org.pytorch.serve.ModelServer", "main", "Loading initial models: model"),
        ),
        (
            f'{TIME} [ERROR] pool 2 a.B - Failed\\njava.lang.X: \\"no\\"\\n\\tat a.B.c(B.java:1)',
            LogEntry("ERROR", TIME, "a.B", "pool 2", 'Failed\njava.lang.X: "no"\n\tat a.B.c(B.java:1)'),
        ),
        (f"{TIME} [WARN ] main a.B - C:\\q", LogEntry("WARNING", TIME, "a.B", "main", "C:\\q")),
        (f"{TIME} [FATAL] main a.B - gone", LogEntry("CRITICAL", TIME, "a.B", "main", "gone")),
        (
            f'{STDOUT}vts-log {{\\"severity\\": \\"ERROR\\", \\"logger\\": \\"my.handler\\", \\"message\\": '
            '\\"two\\\\nlines\\", \\"request_id\\": \\"6f1d\\"}',
            LogEntry("ERROR", TIME, "my.handler", WORKER, "two\nlines", "6f1d"),
        ),
        (
            f'{TIME} [INFO ] W-9000 ACCESS_LOG - /[::1]:1 \\"POST /predictions/m HTTP/1.1\\" 200 5 4-f1',
            LogEntry(
                "INFO",
                TIME,
                "ACCESS_LOG",
                "W-9000",
                '/[::1]:1 "POST /predictions/m HTTP/1.1" 200 5 4-f1',
                "4-f1",
            ),
        ),
        (
            f"{TIME} [INFO ] W-9000 ACCESS_LOG - /[::1]:1 PUT - 5 -",
            LogEntry("INFO", TIME, "ACCESS_LOG", "W-9000", "/[::1]:1 PUT - 5 -"),
        ),
    ],
)
def test_one_line_is_one_entry_at_once(line: str, entry: LogEntry) -> None:
    assembler = EntryAssembler()
    assert assembler.feed(line, at=0.0) == [entry]
    assert assembler.rest() == []


@pytest.mark.parametrize("printed", ["vts-log {", "vts-log 5", 'vts-log {"color": "red"}'])
def test_a_handler_that_prints_the_mark_is_quoted(printed: str) -> None:
    assert entries(STDOUT + printed) == [("INFO", "MODEL_LOG", printed)]


def test_the_lines_of_a_traceback_are_one_error_while_other_threads_speak() -> None:
    assert entries(
        f"{STDERR}Traceback (most recent call last):",
        f"{STDOUT}printed meanwhile",
        f'{STDERR}  File \\"handler.py\\", line 3, in handle',
        f"{STDERR}OSError: two lines,",
        f"{STDERR}the second one",
        f"{STDERR}Traceback (most recent call last):",
        f"{STDERR}KeyError: 1",
    ) == [
        ("INFO", "MODEL_LOG", "printed meanwhile"),
        (
            "ERROR",
            "MODEL_LOG",
            'Traceback (most recent call last):\n  File "handler.py", line 3, in handle\n'
            "OSError: two lines,\nthe second one",
        ),
        ("ERROR", "MODEL_LOG", "Traceback (most recent call last):\nKeyError: 1"),
    ]


@pytest.mark.parametrize(
    "link",
    [
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
    ],
)
def test_a_chain_of_exceptions_is_one_entry(link: str) -> None:
    start = "Traceback (most recent call last):"
    text = f"{start}\nKeyError: 1\n\n{link}\n\n{start}\nOSError"
    assert entries(*(STDERR + line for line in text.split("\n"))) == [("ERROR", "MODEL_LOG", text)]


def test_a_record_of_the_same_thread_ends_a_traceback() -> None:
    record = '{"severity": "INFO", "logger": "root", "message": "next"}'
    assert entries(
        f"{STDOUT}Traceback (most recent call last):", f"{STDOUT}KeyError", f"{STDOUT}vts-log {record}"
    ) == [
        ("ERROR", "MODEL_LOG", "Traceback (most recent call last):\nKeyError"),
        ("INFO", "root", "next"),
    ]


def test_what_the_jvm_prints_itself() -> None:
    assert entries(
        "WARNING: sun.reflect.Reflection.getCallerClass is not supported.",
        "java.lang.IllegalStateException: no port",
        "\tat a.B.c(B.java:1)",
        "Caused by: java.net.BindException: in use",
        "\tat a.B.d(B.java:2)",
        "",
        "Terminating due to java.lang.OutOfMemoryError: Java heap space",
        "Model server started.",
    ) == [
        ("INFO", "jvm", "WARNING: sun.reflect.Reflection.getCallerClass is not supported."),
        (
            "ERROR",
            "jvm",
            "java.lang.IllegalStateException: no port\n\tat a.B.c(B.java:1)\n"
            "Caused by: java.net.BindException: in use\n\tat a.B.d(B.java:2)",
        ),
        ("ERROR", "jvm", "Terminating due to java.lang.OutOfMemoryError: Java heap space"),
        ("INFO", "jvm", "Model server started."),
    ]


def test_an_entry_waits_a_third_of_a_second_at_most() -> None:
    assembler = EntryAssembler()
    assert assembler.feed(f"{STDERR}Traceback (most recent call last):", at=10.0) == []
    assert assembler.feed(f"{STDERR}KeyError: 1", at=10.25) == []
    assert assembler.overdue(10.25) == []
    assert [entry.message for entry in assembler.overdue(10.34)] == [
        "Traceback (most recent call last):\nKeyError: 1"
    ]


def test_a_pipe_is_read_in_any_pieces_to_its_end() -> None:
    reading, writing = os.pipe()
    line = f"{STDOUT}grün".encode()
    with os.fdopen(reading, "rb", buffering=0) as file, os.fdopen(writing, "wb", buffering=0) as jvm:
        pipe = LogPipe(file)
        began = time.monotonic()
        assert pipe.read(0.05) == []
        assert time.monotonic() - began >= 0.05
        jvm.write(line[:-2])
        assert pipe.read(5.0) == []
        jvm.write(
            line[-2:]
            + b"\r\n"
            + f"{STDOUT}Traceback (most recent call last):\n{STDOUT}\xff".encode("latin-1")
        )
        assert [entry.message for entry in pipe.read(5.0) or []] == ["grün"]
        jvm.close()
        assert [entry.message for entry in pipe.read(5.0) or []] == ["Traceback (most recent call last):\n�"]
        assert pipe.read(5.0) is None


def test_lines_that_come_in_a_short_time_are_read_together() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as file, os.fdopen(writing, "wb", buffering=0) as jvm:

        def write() -> None:
            for number in range(300):
                jvm.write(f"{STDOUT}{number}\n".encode())
                time.sleep(0.0002)

        pipe, began, messages, reads = LogPipe(file), time.monotonic(), list[str](), 0
        writer = threading.Thread(target=write)
        writer.start()
        while len(messages) < 300:
            messages += [entry.message for entry in pipe.read(5.0) or []]
            reads += 1
        writer.join()
        assert messages == [str(number) for number in range(300)]
        assert reads <= 2 + (time.monotonic() - began) / 0.03


@pytest.mark.skipif(sys.platform != "linux", reason="pipes grow on Linux alone")
def test_who_writes_seven_hundred_lines_at_once_need_not_wait() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as file, os.fdopen(writing, "wb", buffering=0) as jvm:
        pipe = LogPipe(file)
        line = f"{STDOUT}{'a' * 1000}\n".encode()
        os.set_blocking(writing, False)
        for _ in range(700):
            assert jvm.write(line) == len(line)
        assert len(pipe.read(5.0) or []) == 700
