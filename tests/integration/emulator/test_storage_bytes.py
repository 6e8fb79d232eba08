"""The bytes of objects through the emulated Cloud Storage: parts, ranges, copies, several clients at once."""

import gzip
import hashlib
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from testbed.deadlines import MOMENT_SECONDS
from vertex_torchserve.emulator.storage.kept_storage import KeptStorage
from vertex_torchserve.emulator.storage.storage_server import StorageServer
from vertex_torchserve.gcs import GcsPath, download_file, upload_file

UPLOADS = "/upload/storage/v1/b/models/o"
OBJECTS = "/storage/v1/b/models/o"
# 32 MiB is what one request of an upload carries, and 16 MiB what one of a download fetches.
LARGE = hashlib.shake_128(b"weights").digest((33 << 20) + 5)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the server keeps its files: in memory where that can be, for each change waits for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as made:
        yield Path(made)


@pytest.fixture
def server(folder: Path) -> Iterator[StorageServer]:
    running = StorageServer(folder, ("127.0.0.1", 0))
    yield running
    running.stop()


@pytest.fixture
def http(server: StorageServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=MOMENT_SECONDS) as client:
        client.post("/storage/v1/b", json={"name": "models"}).raise_for_status()
        yield client


def files(folder: Path) -> list[Path]:
    return list((folder / "contents").iterdir())


def begin(http: httpx.Client, **about: Any) -> str:
    """A resumable upload of the object `parts`; where its parts go."""
    parameters = {"uploadType": "resumable", "name": "parts"}
    return http.post(UPLOADS, params=parameters, json=about).raise_for_status().headers["Location"]


def send(http: httpx.Client, session: str, content: bytes, content_range: str) -> tuple[int, str | None]:
    answer = http.put(session, content=content, headers={"Content-Range": content_range})
    return answer.status_code, answer.headers.get("Range")


def write(http: httpx.Client, name: str, content: Any, **headers: str) -> httpx.Response:
    parameters = {"uploadType": "media", "name": name}
    return http.post(UPLOADS, params=parameters, content=content, headers=headers)


def read(http: httpx.Client, name: str, **headers: str) -> httpx.Response:
    return http.get(f"{OBJECTS}/{name}", params={"alt": "media"}, headers=headers)


def test_a_large_file_goes_up_in_parts_and_comes_back_in_ranges(
    http: httpx.Client, server: StorageServer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    (tmp_path / "weights").write_bytes(LARGE)
    stored = upload_file(tmp_path / "weights", GcsPath("models", "weights"))
    assert stored.size == (33 << 20) + 5
    download_file(GcsPath("models", "weights"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == LARGE
    assert len(files(folder)) == 1


def test_parts_are_appended_to_one_file_that_becomes_the_object(http: httpx.Client, folder: Path) -> None:
    session = begin(http)
    assert send(http, session, b"", "bytes */*") == (308, None)
    assert send(http, session, b"abc", "bytes 0-2/*") == (308, "bytes=0-2")
    (file,) = files(folder)
    assert send(http, session, b"defg", "bytes 3-6/9") == (308, "bytes=0-6")
    assert file.read_bytes() == b"abcdefg"
    assert send(http, session, b"", "bytes */9") == (308, "bytes=0-6")
    assert send(http, session, b"hi", "bytes 7-8/9") == (200, None)
    assert files(folder) == [file]
    assert read(http, "parts").content == b"abcdefghi"


def test_a_part_that_is_sent_again_counts_once(http: httpx.Client) -> None:
    session = begin(http)
    assert send(http, session, b"abc", "bytes 0-2/*") == (308, "bytes=0-2")
    assert send(http, session, b"abc", "bytes 0-2/*") == (308, "bytes=0-2")
    assert send(http, session, b"bcde", "bytes 1-4/*") == (308, "bytes=0-4")
    assert send(http, session, b"x", "bytes 7-7/8") == (400, None)
    assert send(http, session, b"xyz", "bytes 5-5/6") == (400, None)
    assert send(http, session, b"f", "bytes 5-5/6") == (200, None)
    assert read(http, "parts").content == b"abcdef"
    assert send(http, session, b"f", "bytes 5-5/6") == (404, None)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"crc32c": "AAAAAA=="}, 'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "Nks/tw==".'),
        (
            {"md5Hash": "x"},
            'Provided MD5 hash "x" doesn\'t match calculated MD5 hash "kAFQmDzST7DWlj99KOF/cg==".',
        ),
    ],
)
def test_bytes_with_another_checksum_than_announced_are_refused(
    http: httpx.Client, about: dict[str, str], message: str
) -> None:
    answer = http.put(begin(http, **about), content=b"abc", headers={"Content-Range": "bytes 0-2/3"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)
    assert http.get(OBJECTS).json()["items"] == []


def test_ranges(http: httpx.Client) -> None:
    write(http, "a", b"abcdef")
    for asked, *expected in (
        ("bytes=0-2", 206, b"abc", "bytes 0-2/6"),
        ("bytes=4-", 206, b"ef", "bytes 4-5/6"),
        ("bytes=4-99", 206, b"ef", "bytes 4-5/6"),
        ("bytes=-2", 206, b"ef", "bytes 4-5/6"),
        ("bytes=6-", 416, b"", "bytes */6"),
        ("lines=1-2", 200, b"abcdef", None),
    ):
        answer = read(http, "a", Range=asked)
        found = [answer.status_code, answer.content, answer.headers.get("Content-Range")]
        assert found == expected, asked


def test_a_whole_object_comes_with_its_checksums_and_type(http: httpx.Client) -> None:
    described = write(http, "a", b"abc", **{"Content-Type": "text/plain"}).json()
    # The MD5 of "abc" is RFC 1321's; its CRC32C is 0x364B3FB7.
    sums = (described["size"], described["crc32c"], described["md5Hash"])
    assert sums == ("3", "Nks/tw==", "kAFQmDzST7DWlj99KOF/cg==")
    answer = read(http, "a")
    assert answer.headers["X-Goog-Hash"] == "crc32c=Nks/tw==,md5=kAFQmDzST7DWlj99KOF/cg=="
    assert answer.headers["Content-Type"] == "text/plain"


def test_bodies_in_chunks_compressed_empty_and_by_put(http: httpx.Client) -> None:
    assert write(http, "chunks", iter([b"ab", b"c" * 3_000_000, b"d"])).json()["size"] == "3000003"
    assert read(http, "chunks").content == b"ab" + b"c" * 3_000_000 + b"d"
    assert write(http, "gzip", gzip.compress(b"abc"), **{"Content-Encoding": "gzip"}).status_code == 200
    assert read(http, "gzip").content == b"abc"
    assert write(http, "gzip", b"abc", **{"Content-Encoding": "gzip"}).status_code == 400
    assert write(http, "empty", b"").json()["crc32c"] == "AAAAAA=="
    assert read(http, "empty").content == b""
    assert http.put("/models/folder/put", content=b"put").status_code == 200
    assert read(http, "folder%2Fput").content == b"put"


def test_a_copy_shares_the_bytes_and_outlives_its_original(http: httpx.Client, folder: Path) -> None:
    policy = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
    http.patch("/storage/v1/b/models", json=policy).raise_for_status()
    original = write(http, "a", b"abc").json()
    rewritten = http.post(f"{OBJECTS}/a/rewriteTo/b/models/o/b").json()
    assert (rewritten["done"], rewritten["objectSize"]) == (True, "3")
    copied = http.post(f"{OBJECTS}/a/copyTo/b/models/o/c").json()
    for copy in (rewritten["resource"], copied):
        assert [copy[field] for field in ("crc32c", "md5Hash", "etag")] == [
            original[field] for field in ("crc32c", "md5Hash", "etag")
        ]
    assert len(files(folder)) == 1
    http.delete(f"{OBJECTS}/a")
    write(http, "b", b"new")
    assert [read(http, name).content for name in ("b", "c")] == [b"new", b"abc"]
    assert len(files(folder)) == 2
    http.delete(f"{OBJECTS}/b")
    http.delete(f"{OBJECTS}/c")
    assert files(folder) == []


def test_a_deleted_object_is_kept_and_restored_without_another_copy(http: httpx.Client, folder: Path) -> None:
    generation = write(http, "a", b"abc").json()["generation"]
    before = files(folder)
    http.delete(f"{OBJECTS}/a").raise_for_status()
    assert read(http, "a").status_code == 404
    http.post(f"{OBJECTS}/a/restore", params={"generation": generation}).raise_for_status()
    assert read(http, "a").content == b"abc"
    assert files(folder) == before


def test_a_client_that_goes_away_leaves_no_object(
    http: httpx.Client, server: StorageServer, folder: Path
) -> None:
    deadline = time.monotonic() + MOMENT_SECONDS
    with half_of_a_request(server):
        while not files(folder):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    while files(folder):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert http.get(OBJECTS).json()["items"] == []


def test_a_client_that_stalls_holds_up_nobody(http: httpx.Client, server: StorageServer) -> None:
    with half_of_a_request(server):
        assert write(http, "a", b"abc").status_code == 200
        assert read(http, "a").content == b"abc"
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < MOMENT_SECONDS


def half_of_a_request(server: StorageServer) -> socket.socket:
    host, _, port = server.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=MOMENT_SECONDS)
    head = f"POST {UPLOADS}?uploadType=media&name=half HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    connection.sendall(head.encode() + b"12345")
    return connection


def test_of_writers_that_expect_no_object_one_writes(tmp_path: Path) -> None:
    # On the disk: each write waits for it, so that the others come meanwhile.
    server = StorageServer(tmp_path, ("127.0.0.1", 0))

    with httpx.Client(base_url=server.url, trust_env=False, timeout=MOMENT_SECONDS) as client:

        def attempt(number: int) -> int:
            parameters = {"uploadType": "media", "name": "note", "ifGenerationMatch": "0"}
            return client.post(UPLOADS, params=parameters, content=b"%d" % number).status_code

        client.post("/storage/v1/b", json={"name": "models"}).raise_for_status()
        with ThreadPoolExecutor(8) as clients:
            statuses = list(clients.map(attempt, range(8)))
        assert sorted(statuses) == [200] + [412] * 7
        assert read(client, "note").content == b"%d" % statuses.index(200)
    server.stop()


def test_several_clients_of_googles_at_once(http: httpx.Client, server: StorageServer) -> None:
    client = Client(
        project="p", credentials=AnonymousCredentials(), client_options={"api_endpoint": server.url}
    )
    bucket = client.bucket("models")

    def there_and_back(number: int) -> bytes:
        blob = bucket.blob(f"folder/{number}", chunk_size=256 << 10)
        blob.upload_from_string(b"%d" % number * 300_000)
        content: bytes = blob.download_as_bytes()
        return content

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(there_and_back, range(8))) == [b"%d" % each * 300_000 for each in range(8)]
    client.close()


def test_nobody_looks_while_somebody_changes(tmp_path: Path) -> None:
    storage = KeptStorage(tmp_path)

    def look() -> str:
        with storage.changing():
            return "looked"

    with ThreadPoolExecutor(1) as other:
        with storage.changing():
            looking = other.submit(look)
            with pytest.raises(TimeoutError):
                looking.result(timeout=0.2)
        assert looking.result(timeout=MOMENT_SECONDS) == "looked"
