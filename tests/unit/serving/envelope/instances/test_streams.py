"""A handler that sends parts of its answer while it works."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.serving.envelope.torchserve_worker import decode, import_torchserve, load_service, send

STREAM = """\
from ts.handler_utils.utils import send_intermediate_predict_response

def handle(data, context):
    if data is None:
        return None
    send_intermediate_predict_response(["part"] * len(data), context.request_ids, "", 200, context)
    if "poison" in data:
        raise ValueError
    return data
"""


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    worker, jvm = socket.socketpair()
    with worker, jvm:
        jvm.settimeout(10)
        yield worker, jvm


def test_parts_go_to_the_well_formed_requests_and_the_last_one_through_the_envelope(
    tmp_path: Path, sockets: tuple[socket.socket, socket.socket]
) -> None:
    import_torchserve()
    service = load_service(tmp_path, STREAM)
    service.set_cl_socket(sockets[0])
    malformed, streamed = send(service, b"?", {"instances": ["a"]})
    assert (malformed.status, "ts_stream_next" in malformed.headers) == (400, False)
    assert (streamed.body, streamed.headers["ts_stream_next"]) == ({"predictions": ["a"]}, "false")
    _, parts = decode(sockets[1].recv(65536), parse=str)
    assert {request_id: part.body for request_id, part in parts.items()} == {"id-1": "part"}


def test_a_stream_that_breaks_is_not_sent_again(
    tmp_path: Path, sockets: tuple[socket.socket, socket.socket]
) -> None:
    import_torchserve()
    service = load_service(tmp_path, STREAM)
    service.set_cl_socket(sockets[0])
    answers = send(service, {"instances": ["a"]}, {"instances": ["poison"]})
    assert [answer.status for answer in answers] == [500, 500]
    assert [answer.headers["ts_stream_next"] for answer in answers] == ["false", "false"]
    assert sockets[1].recv(65536).count(b"part") == 2
