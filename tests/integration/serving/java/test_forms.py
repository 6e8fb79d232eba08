"""Forms that would keep netty's threads busy are refused while they arrive; ordinary ones are passed on."""

import http.client
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from testbed.deadlines import ANSWER_SECONDS
from testbed.jvm_server import JvmServer

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
# `/ping` takes milliseconds; without the limits it took five seconds and more. This is for a slow machine.
MOST_PING_SECONDS = 2.0
MANY_FIELDS = "the form has more than 128 fields, the most that is accepted; send the instances as JSON"
MANY_PARTS = "the form has more than 128 parts, the most that is accepted; send the instances as JSON"
LONG_HEADERS = "the headers of a part of the form have more than 8192 bytes, the most that is accepted"
LARGE = (
    "a form that is not in parts has more than 999999 bytes, the most that is accepted; "
    "send JSON or multipart/form-data"
)
MIXED = "a part of the form has the type multipart/mixed; give each file a part of its own"
BOUNDARY = (
    "the Content-Type of the form has no boundary of 1 to 70 ASCII characters, or another charset than UTF-8"
)
NO_FORM = "the body is not a form of the type that its Content-Type names"
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'

HOSTILE = {
    "million-fields": (URLENCODED, b"a=&" * 1_000_000, 413, MANY_FIELDS),
    "many-fields-without-names": (URLENCODED, b"&" * 3_000_000, 413, MANY_FIELDS),
    "many-fields-with-a-charset": (f"{URLENCODED}; charset=utf-8", b"a=&" * 1_000_000, 413, MANY_FIELDS),
    "one-field-of-10-MB": (URLENCODED, b"+" * 10_000_000, 413, LARGE),
    "170000-parts": (MULTIPART, PART * 170_000, 413, MANY_PARTS),
    "parts-without-headers": (MULTIPART, b"--b\r\n\r\n\r\n" * 500_000, 413, MANY_PARTS),
    "boundary-that-repeats-itself": (
        "multipart/form-data; boundary=-----",
        b"-------\r\n\r\n" * 500_000,
        413,
        MANY_PARTS,
    ),
    "header-name-of-9.9-MB": (MULTIPART, b"--b\r\n" + b"a" * 9_900_000, 413, LONG_HEADERS),
    "millions-of-headers": (MULTIPART, b"--b\r\n" + b"a:b\r\n" * 1_900_000, 413, LONG_HEADERS),
    "parameters-of-a-header": (
        MULTIPART,
        b"--b\r\nContent-Disposition: form-data" + b";a=b" * 2_000_000,
        413,
        LONG_HEADERS,
    ),
    "form-within-a-part": (
        MULTIPART,
        b"--b\r\ncontent-type: Multipart/Mixed; boundary=c\r\n\r\n" + b"--c\r\n\r\nx\r\n" * 500_000,
        400,
        MIXED,
    ),
    "boundary-too-long": (
        f"multipart/form-data; boundary={'b' * 71}",
        b"--" + b"b" * 3_000_000,
        400,
        BOUNDARY,
    ),
    "boundary-empty": ("multipart/form-data; boundary=", PART * 100_000, 400, BOUNDARY),
    "headers-in-utf-16": (f"{MULTIPART}; charset=utf-16", PART * 100_000, 400, BOUNDARY),
}


def post(server: JvmServer, content_type: str, body: bytes) -> tuple[int, object]:
    """Status and JSON of a prediction."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=ANSWER_SECONDS)
    with closing(connection):
        connection.request("POST", "/predictions/model", body, {"Content-Type": content_type})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_forms_are_refused_and_keep_nobody_waiting(measuring_server: JvmServer, name: str) -> None:
    content_type, body, status, message = HOSTILE[name]
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(post, measuring_server, content_type, body) for _ in range(8)]
        slowest = 0.0
        pings = 0
        while pings < 8 or not all(answer.done() for answer in answers):
            began = time.monotonic()
            healthy = measuring_server.get("/ping")
            slowest = max(slowest, time.monotonic() - began)
            pings += 1
            assert healthy == (200, '{\n  "status": "Healthy"\n}\n')
    assert [answer.result() for answer in answers] == [(status, {"error": message})] * 8
    assert slowest < MOST_PING_SECONDS


def test_as_many_fields_and_parts_as_may_be(measuring_server: JvmServer) -> None:
    fields = b"&".join(b"f%d=x" % number for number in range(128))
    wanted = {f"f{number}": 1 for number in range(128)}
    assert post(measuring_server, URLENCODED, fields) == (200, wanted)
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % number for number in range(128)
    )
    assert post(measuring_server, MULTIPART, parts + b"--b--\r\n") == (200, wanted)
    large = b"a=" + b"x" * 999_997
    assert post(measuring_server, URLENCODED, large) == (200, {"a": 999_997})
    assert post(measuring_server, URLENCODED, large + b"x") == (413, {"error": LARGE})
    assert post(measuring_server, URLENCODED, fields + b"&g=x") == (413, {"error": MANY_FIELDS})
    assert post(measuring_server, MULTIPART, PART + parts + b"--b--\r\n") == (413, {"error": MANY_PARTS})


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        pytest.param(URLENCODED, b"a=%zz", NO_FORM, id="half-an-escape"),
        *(
            pytest.param(MULTIPART, b"--b\r\n" + header + b"\r\n\r\nx\r\n--b--\r\n", NO_FORM, id=name)
            for name, header in {
                "part-without-name": b"Content-Disposition: form-data",
                "part-with-an-empty-name": b'Content-Disposition: form-data; name=""',
                "part-with-a-name-without-value": b"Content-Disposition: form-data; name",
                "part-with-a-file-name-only": b'Content-Disposition: form-data; filename="a"',
                "part-without-disposition": b"Content-Type: text/plain",
            }.items()
        ),
        pytest.param("multipart/form-data", PART + b"--b--\r\n", BOUNDARY, id="no-boundary"),
        pytest.param(
            "Multipart/Form-Data; charset=utf-8", PART + b"--b--\r\n", BOUNDARY, id="only-a-charset"
        ),
    ],
)
def test_a_body_that_is_no_form_is_400(
    measuring_server: JvmServer, content_type: str, body: bytes, message: str
) -> None:
    assert post(measuring_server, content_type, body) == (400, {"error": message})


def test_forms_are_decoded_in_threads_of_their_own(measuring_server: JvmServer) -> None:
    assert post(measuring_server, MULTIPART, PART + b"--b--\r\n") == (200, {"a": 1})
    threads = Path(f"/proc/{measuring_server.process.pid}/task").glob("*/comm")
    assert [name for name in (comm.read_text() for comm in threads) if name.startswith("forms-")]


# Four megabytes with lines that look like boundaries.
PICTURE = bytes(range(256)) * 10_000 + b"\r\n--\r\n--b\r\n\r\n" * 100_000


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        (["-F", "data=@kitten.jpg"], {"data": len(PICTURE)}),
        (["-F", "data=@kitten.jpg;type=image/jpeg", "-F", "labels=cat"], {"data": len(PICTURE), "labels": 3}),
        (["-F", "a=@kitten.jpg", "-F", "b=@kitten.jpg"], {"a": len(PICTURE), "b": len(PICTURE)}),
        (["-H", "Transfer-Encoding: chunked", "-F", "data=@kitten.jpg"], {"data": len(PICTURE)}),
        (["-d", "data=a+cat&labels=c%61t"], {"data": 5, "labels": 3}),
        (["-d", "a=1", "-d", "b=22"], {"a": 1, "b": 2}),
        (["--data-urlencode", "data=a & b"], {"data": 5}),
        (["-T", "kitten.jpg"], {"body": len(PICTURE)}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_curl_sends_forms(
    measuring_server: JvmServer, tmp_path: Path, options: list[str], fields: dict[str, int]
) -> None:
    (tmp_path / "kitten.jpg").write_bytes(PICTURE)
    url = f"http://127.0.0.1:{measuring_server.http}/predictions/model"
    command = ["curl", "--silent", "--show-error", "--max-time", str(ANSWER_SECONDS), *options, url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(done.stdout) == fields
