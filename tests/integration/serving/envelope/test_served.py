"""The envelope in a real TorchServe, over real HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from testbed.deadlines import MOMENT_SECONDS
from testbed.processes import wait_until
from tests.integration.serving.envelope.envelope_server import Server


def instances(*values: Any) -> bytes:
    return json.dumps({"instances": values}).encode()


def predictions(server: Server, *values: Any) -> Any:
    answer = server.post(instances(*values))
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def test_of_sixteen_requests_in_one_batch_only_the_three_bad_ones_fail(server: Server) -> None:
    before = len(predictions(server, "sizes")[0])
    bodies = [instances(f"text {number}") for number in range(16)]
    bodies[3] = instances("secret poison")
    bodies[7] = b'{"instances": "hello"}'
    bodies[11] = b'{"instances": ["secret poison"'
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.post, bodies))
    assert predictions(server, "sizes")[0][before] == 14, "the good and the poisoned ones were no one batch"
    assert [answer.status_code for answer in answers] == [
        200, 200, 200, 500, 200, 200, 200, 400, 200, 200, 200, 400, 200, 200, 200, 200
    ]  # fmt: skip
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    for number in set(range(16)) - {3, 7, 11}:
        assert answers[number].json() == {"predictions": [f"TEXT {number}"]}
    request_id = answers[3].headers["x-request-id"]
    assert answers[3].json() == {"error": f"the prediction failed (request {request_id})"}
    assert answers[7].json() == {"error": '"instances" must be a list, got a string'}
    assert answers[11].json() == {
        "error": "the body is not valid JSON: Expecting ',' delimiter at line 1 column 31"
    }
    log = server.log.read_text()
    assert log.count(f"request {request_id} answered 500: ValueError at ") == 1
    assert log.count("answered 400: it is malformed") >= 2
    assert "secret" not in log


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        (b'{"instances": []}', 200, {"predictions": []}),
        (b'{"instances": ["a", "b"], "parameters": {"mark": "!"}}', 200, {"predictions": ["A!", "B!"]}),
        (b'{"instances": [{"b64": "aGk="}]}', 200, {"predictions": ["HI"]}),
        (b'{"instances": ["tensor"]}', 200, {"predictions": [[0.5, 1.5]]}),
        (b'{"instances": ["long"]}', 413, {"error": "longer than 512 tokens"}),
        (
            b'{"instances": ["a"], "parameters": 1}',
            400,
            {"error": '"parameters" must be an object, got a number'},
        ),
        (b"\xff", 400, {"error": "the body is not valid UTF-8 at byte 0"}),
        (b"[" * 100_000, 400, {"error": "the body is nested too deeply"}),
    ],
)
def test_status_and_body(server: Server, body: bytes, status: int, answer: Any) -> None:
    response = server.post(body)
    assert (response.status_code, response.json()) == (status, answer)
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "application/octet-stream", "text/plain; charset=utf-8"],
)
def test_any_content_type_of_a_whole_body(server: Server, content_type: str) -> None:
    answer = server.post('{"instances": ["grün"]}'.encode(), content_type=content_type)
    assert (answer.status_code, answer.json()) == (200, {"predictions": ["GRÜN"]})


def test_a_form_is_told_what_is_missing(server: Server) -> None:
    answer = server.post(instances("a"), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert answer.json()["error"] == (
        '"instances" is missing; the body must be {"instances": [...], "parameters": {...}}; '
        "the body came as a form, application/x-www-form-urlencoded, as `curl -d` sends it without a header: "
        "send the header Content-Type: application/json"
    )


@pytest.mark.parametrize("content_type", ["image/png", "audio/wav; rate=8000", "IMAGE/PNG"])
def test_a_picture_or_a_sound_is_the_one_instance(server: Server, content_type: str) -> None:
    answer = server.post(b"png", content_type=content_type)
    assert (answer.status_code, answer.json()) == (200, {"predictions": ["PNG"]})


def test_a_picture_as_a_part_of_a_form(server: Server) -> None:
    answer = server.client.post("/predictions/model", files={"data": ("a.png", b"png", "image/png")})
    assert (answer.status_code, answer.json()) == (200, {"predictions": ["PNG"]})


def test_the_status_of_an_error_comes_with_an_error(server: Server) -> None:
    one = server.post(instances({"status": [507]}))
    assert (one.status_code, one.json()) == (507, {"error": "set"})
    two = server.post(instances({"status": [422, "No"]}, "a"))
    assert (two.status_code, two.json()) == (422, {"error": '{"predictions": ["set", "A"]}'})


def test_explanations_reach_the_handler_as_such(server: Server) -> None:
    answer = server.post(instances("explained"), route="/explanations/model")
    assert (answer.status_code, answer.json()) == (200, {"predictions": ["True"]})
    assert predictions(server, "explained") == ["False"]


def test_failures_leave_the_worker_alive(server: Server) -> None:
    worker = predictions(server, "pid")
    out_of_memory = server.post(instances("memory"))
    assert out_of_memory.status_code == 507
    assert out_of_memory.json()["error"].startswith("out of memory (request ")
    assert server.post(instances("secret poison")).status_code == 500
    with ThreadPoolExecutor(2) as pool:
        small, huge = pool.map(server.post, [instances("a"), instances("huge")])
    assert (small.status_code, small.json()) == (200, {"predictions": ["A"]})
    # 10 MiB and 64 KiB.
    too_long = "the predictions are longer than 10551296 bytes, the most that an answer may have; "
    assert (huge.status_code, huge.json()["error"][: len(too_long)]) == (500, too_long)
    assert predictions(server, "pid") == worker


UNUSABLE_HEADS = [
    {"header": ["x-note", "a\nb"]},
    {"header": ["x-note", "a\r\n b"]},
    {"header": ["x-note", "\0"]},
    {"header": ["x-note", "\ud800"]},
    {"header": ["x-note", None]},
    {"header": ["", "a"]},
    {"header": ["x:y", "a"]},
    {"header": ["Transfer-Encoding", "chunked"]},
    {"header": ["Content-Length", "1"]},
    {"header": ["x-note", "a" * 100_000]},
    {"header": ["content-type", "text/html\nx: y"]},
    {"header": ["ts_stream_next", "true"]},
    {"header": ["ts_stream_next", "x"]},
    {"status": [0]},
    {"status": [99]},
    {"status": [100]},
    {"status": [1000]},
    {"status": ["x"]},
    {"status": [200, "a\nb"]},
    {"status": [200, "gr\u00fcn"]},
]


def test_heads_that_can_t_be_sent_fail_their_own_requests(server: Server) -> None:
    worker = predictions(server, "pid")
    bodies = [body for head in UNUSABLE_HEADS for body in (instances(head), instances("a"))]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.post, bodies))
    assert [answer.status_code for answer in answers] == [500, 200] * len(UNUSABLE_HEADS)
    for failed, neighbour in zip(answers[::2], answers[1::2], strict=True):
        assert failed.json()["error"].startswith(
            ("the handler set the ", "the handler set a ", "the handler set 1 ")
        )
        assert neighbour.json() == {"predictions": ["A"]}
        assert {"transfer-encoding", "x-note"}.isdisjoint(failed.headers)
    assert predictions(server, "pid") == worker
    assert server.client.get("/ping").status_code == 200


def test_a_number_in_a_header_a_status_and_its_phrase_are_sent(server: Server) -> None:
    answer = server.post(instances({"header": ["x-count", 3], "status": [201, "Made"]}))
    assert (answer.status_code, answer.reason_phrase) == (201, "Made")
    assert answer.headers["x-count"] == "3"
    assert answer.json() == {"predictions": ["set"]}


def test_twenty_megabytes_without_a_line_end_are_cut(server: Server) -> None:
    assert predictions(server, "print") == ["printed"]

    def logged() -> bool:
        return "x ... (19934464 more bytes)" in server.log.read_text()

    wait_until(logged, MOMENT_SECONDS, "the line is in the log")
