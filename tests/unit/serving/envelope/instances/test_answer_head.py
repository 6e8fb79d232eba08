"""A head of an answer that can't be sent fails its own request, and says which header it was."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.unit.serving.envelope.torchserve_worker import Answer, import_torchserve, load_service, send

# Does for each instance what its text says, and answers with it.
HANDLER = """\
import http

def handle(data, context):
    for row, text in enumerate(data or []):
        exec(text, {"context": context, "row": context.instance_requests[row], "http": http})
    return data
"""
TEXT = "tabs and the ASCII characters from space to ~ are accepted"
NAME = "letters, digits and !#$%&'*+-.^_`|~ are"
SET = "context.set_response_header(row, {}, {})"
STATUS_TEXT = "the handler set the reason phrase of its status to a"
STATUS = "context.set_response_status({}, idx=row)"
PHRASE = "context.set_response_status(200, {}, idx=row)"


@pytest.fixture(scope="module", autouse=True)
def torchserve() -> None:
    import_torchserve()


def one(code: str) -> dict[str, Any]:
    return {"instances": [code]}


def between_neighbours(folder: Path, code: str) -> Answer:
    """The answer to a request that runs `code`, in a batch of three whose others are answered."""
    before, answer, after = send(load_service(folder, HANDLER), one("a = 1"), one(code), one("b = 2"))
    assert (before.status, before.body) == (200, {"predictions": ["a = 1"]})
    assert (after.status, after.body) == (200, {"predictions": ["b = 2"]})
    assert answer.headers["content-type"] == "application/json"
    return answer


@pytest.mark.parametrize(
    ("code", "message"),
    [
        *(
            (
                SET.format("'x-note'", repr(value)),
                f"the handler set the header 'x-note' to a text with the character {character}; {TEXT}",
            )
            for value, character in {
                "a\nb": "U+000A at 1",
                "a\r\n b": "U+000D at 1",
                "\0": "U+0000 at 0",
                "a\x7f": "U+007F at 1",
                "\ud800": "U+D800 at 0",
                "grün": "U+00FC at 2",
            }.items()
        ),
        *(
            (
                SET.format("'x-note'", repr(value)),
                f"the handler set the header 'x-note' to {what}; text and numbers are accepted",
            )
            for value, what in [
                (None, "None"),
                (True, "a value of type bool"),
                (b"a", "a value of type bytes"),
                (["a"], "a value of type list"),
            ]
        ),
        *(
            (
                SET.format(repr(name), "'a'"),
                f"the handler set a header with a name that is not accepted, {shown}; {NAME}",
            )
            for name, shown in [
                ("", "''"),
                ("x:y", "'x:y'"),
                ("x y", "'x y'"),
                ("x\r\ny", r"'x\r\ny'"),
                ("\ud800", r"'\ud800'"),
                ("ü", r"'\xfc'"),
                (None, "None"),
                (5, "5"),
                (" " * 200, f"'{' ' * 80}'"),
            ]
        ),
        *(
            (
                SET.format(repr(name), "'5'"),
                f"the handler set the header '{name}', which is the server's own to set",
            )
            for name in ["Transfer-Encoding", "content-length", "CONNECTION", "Upgrade", "Content-Encoding"]
        ),
        (
            SET.format("'ts_stream_next'", "'x'"),
            "the handler set the header 'ts_stream_next', which is TorchServe's own",
        ),
        (
            SET.format("'x-note'", "'a' * 1_000_000"),
            "the handler set 1 headers of 1000010 bytes together; 64 of 7000 bytes are accepted",
        ),
        (
            "[context.set_response_header(row, f'x-{n}', n) for n in range(65)]",
            "the handler set 65 headers of 630 bytes together; 64 of 7000 bytes are accepted",
        ),
        (
            "context.get_response_headers(row)['x-note'] = '\\n'",
            f"the handler set the header 'x-note' to a text with the character U+000A at 0; {TEXT}",
        ),
        (
            "context.set_response_content_type(row, 'text/html\\nx: y')",
            f"the handler set the header 'content-type' to a text with the character U+000A at 9; {TEXT}",
        ),
        *(
            (
                STATUS.format(code),
                f"the handler set a status that is not accepted, {shown}; whole numbers from 200 to 599 are",
            )
            for code, shown in [
                ("0", "0"),
                ("-1", "-1"),
                ("99", "99"),
                ("100", "100"),
                ("600", "600"),
                ("1000", "1000"),
                ("10**5000", "a number with more than nine digits"),
                ("True", "True"),
                ("'x'", "'x'"),
                ("200.0", "a value of type float"),
            ]
        ),
        (
            PHRASE.format("'a\\r\\nb'"),
            f"{STATUS_TEXT} text with the character U+000D at 1; {TEXT}",
        ),
        (
            PHRASE.format("'grün'"),
            f"{STATUS_TEXT} text with the character U+00FC at 2; {TEXT}",
        ),
        (
            PHRASE.format("b'a'"),
            f"{STATUS_TEXT} value of type bytes; text and numbers are accepted",
        ),
    ],
)  # fmt: skip
def test_a_head_that_can_t_be_sent_fails_its_own_request(tmp_path: Path, code: str, message: str) -> None:
    answer = between_neighbours(tmp_path, code)
    assert (answer.status, answer.body) == (500, {"error": f"{message} (request id-1)"})
    assert set(answer.headers) == {"content-type"}


@pytest.mark.parametrize(
    ("code", "status", "headers"),
    [
        (SET.format("'x-Note'", "'a\\tb ~'"), 200, {"x-Note": "a\tb ~"}),
        (SET.format("'x-note'", "''"), 200, {"x-note": ""}),
        (SET.format("'x-count'", "3"), 200, {"x-count": "3"}),
        (SET.format("'x-seconds'", "0.5"), 200, {"x-seconds": "0.5"}),
        (SET.format("'x-long'", "'a' * 6958"), 200, {"x-long": "a" * 6958}),
        (STATUS.format("None"), 200, {}),
        (STATUS.format("http.HTTPStatus.CREATED"), 201, {}),
        (STATUS.format("299"), 299, {}),
        (PHRASE.format("'All right'"), 200, {}),
        (SET.format("'Content-Type'", "'text/html'"), 200, {}),
    ],
)
def test_heads_that_are_accepted(tmp_path: Path, code: str, status: int, headers: dict[str, str]) -> None:
    answer = between_neighbours(tmp_path, code)
    assert (answer.status, answer.body) == (status, {"predictions": [code]})
    assert answer.headers == {**headers, "content-type": "application/json"}


def test_a_part_with_such_a_head_is_not_sent(tmp_path: Path) -> None:
    worker, jvm = socket.socketpair()
    with worker, jvm:
        service = load_service(
            tmp_path,
            "from ts.handler_utils.utils import send_intermediate_predict_response\n\n"
            "def handle(data, context):\n"
            "    for index, item in enumerate(data or []):\n"
            "        context.set_response_header(index, 'x-note', item)\n"
            "    if data:\n"
            "        send_intermediate_predict_response(data, context.request_ids, '', 200, context)\n"
            "    return data\n",
        )
        service.set_cl_socket(worker)
        (answer,) = send(service, one("\n"))
        jvm.setblocking(False)
        with pytest.raises(BlockingIOError):
            jvm.recv(1)
        assert answer.status == 500
        assert answer.body["error"].startswith("the handler set the header 'x-note' to a text with ")
        assert set(answer.headers) == {"content-type"}
        assert service.context.cl_socket is worker


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        ("(422, 'x' * 20_000_000)", 422, "x" * 10_000 + "... (20000000 characters)"),
        ("(200, 'no error')", 500, "no error (request id-1)"),
        ("('x', 5)", 500, "5 (request id-1)"),
        ("'ab cd'", 500, "the prediction failed (request id-1)"),
        ("(422, '\\ud800')", 422, "\ud800"),
    ],
)
def test_failures_that_a_handler_names_are_read_with_care(
    tmp_path: Path, failure: str, status: int, error: str
) -> None:
    answer = between_neighbours(tmp_path, f"context.instance_failures[1] = {failure}")
    assert (answer.status, json.loads(json.dumps(answer.body))) == (status, {"error": error})
