"""The emulated Cloud Storage on a bad day: kills, names that are refused, names that mean to escape."""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from google.api_core.exceptions import PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from testbed.deadlines import MOMENT_SECONDS
from testbed.killed_storage import ours, run_trials
from vertex_torchserve.emulator.storage.storage_server import StorageServer
from vertex_torchserve.errors import InputError

LOOPBACK = ("127.0.0.1", 0)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a storage server whose files lie in `tmp_path/outer/storage`."""
    server = StorageServer(tmp_path / "outer" / "storage", LOOPBACK)
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        client.post("/storage/v1/b", json={"name": "models"})
        yield client
    server.stop()


def storage_client(url: str) -> Client:
    return Client(
        project="my-project", credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
    )


def address_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def write(storage: httpx.Client, name: str, content: bytes) -> httpx.Response:
    parameters = {"uploadType": "media", "name": name}
    return storage.post("/upload/storage/v1/b/models/o", params=parameters, content=content)


def read(storage: httpx.Client, name: str) -> bytes:
    address = f"/storage/v1/b/models/o/{quote(name, safe='')}"
    return storage.get(address, params={"alt": "media"}).raise_for_status().content


def test_what_was_written_is_read_under_another_port(tmp_path: Path) -> None:
    # Clients prefer the address that a listing names to their own.
    first = StorageServer(tmp_path, LOOPBACK)
    client = storage_client(first.url)
    client.create_bucket("models").blob("a").upload_from_string(b"content")
    first.stop()
    with socket.create_server(first_address := address_of(first.url)):
        second = StorageServer(tmp_path, LOOPBACK)
        assert address_of(second.url) != first_address
        (blob,) = storage_client(second.url).list_blobs("models")
        assert blob.download_as_bytes(timeout=MOMENT_SECONDS) == b"content"
        second.stop()


@pytest.mark.timeout(600)
def test_killed_during_writes_it_starts_again_and_has_everything(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    trials = list(run_trials(ours, folder, 5))
    assert [(trial.started, trial.lost) for trial in trials] == [(True, [])] * 5
    assert sum(trial.acknowledged for trial in trials) > 0


def test_what_a_killed_write_left_is_cleared(tmp_path: Path) -> None:
    for left in ("never-in-the-index", "torn.new"):
        (tmp_path / "contents").mkdir(exist_ok=True)
        (tmp_path / "contents" / left).write_bytes(b"x")
    StorageServer(tmp_path, LOOPBACK).stop()
    assert list((tmp_path / "contents").iterdir()) == []


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"format": 1, "meta": null}'])
def test_an_index_of_somebody_else_is_left_alone(tmp_path: Path, index: str) -> None:
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(InputError, match=r"index\.json is not the index of this storage emulator"):
        StorageServer(tmp_path, LOOPBACK)
    assert (tmp_path / "index.json").read_text() == index


NAMES = ["../../../escaped", "/etc/escaped", "a/../../b", "a//b", "a/b", "a\\b", "a", "\0", "n" * 1024]


def test_names_never_leave_the_folder_and_each_is_an_object_of_its_own(
    storage: httpx.Client, tmp_path: Path
) -> None:
    for name in NAMES:
        assert write(storage, name, name.encode()).status_code == 200
    assert [read(storage, name) for name in NAMES] == [name.encode() for name in NAMES]
    listed = storage.get("/storage/v1/b/models/o").json()["items"]
    assert sorted(item["name"] for item in listed) == sorted(NAMES)
    assert [path.name for path in tmp_path.iterdir()] == ["outer"]
    assert [path.name for path in (tmp_path / "outer").iterdir()] == ["storage"]


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "a\r", "n" * 1025, ".well-known/acme-challenge/x"])
def test_names_that_cloud_storage_refuses_for_objects(storage: httpx.Client, name: str) -> None:
    assert write(storage, name, b"x").status_code == 400
    started = storage.post(
        "/upload/storage/v1/b/models/o", params={"uploadType": "resumable"}, json={"name": name}
    )
    assert started.status_code == 400
    assert storage.get("/storage/v1/b/models/o").json()["items"] == []


@pytest.mark.parametrize(
    "name", ["b", "Models", "../models", "a/b", "1.2.3.4", "b" * 64, 1, None, ["models"]]
)
def test_names_that_cloud_storage_refuses_for_buckets(storage: httpx.Client, name: object) -> None:
    answer = storage.post("/storage/v1/b", json={"name": name})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)
    assert [item["name"] for item in storage.get("/storage/v1/b").json()["items"]] == ["models"]


def test_a_request_that_cannot_be_read_is_answered(storage: httpx.Client) -> None:
    broken = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    assert storage.post("/storage/v1/b", **broken).status_code == 400  # type: ignore[arg-type]
    assert storage.post("/storage/v1/b", json=["models"]).status_code == 400
    nameless = storage.post("/upload/storage/v1/b/models/o", params={"uploadType": "media"}, content=b"x")
    assert nameless.status_code == 400


def test_an_upload_in_parts_a_copy_and_a_deletion_last(tmp_path: Path) -> None:
    server = StorageServer(tmp_path, LOOPBACK)
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        client.post("/storage/v1/b", json={"name": "models"})
        session = client.post(
            "/upload/storage/v1/b/models/o", params={"uploadType": "resumable", "name": "parts"}
        ).headers["Location"]
        first = client.put(session, content=b"abc", headers={"Content-Range": "bytes 0-2/*"})
        assert (first.status_code, first.headers["Range"]) == (308, "bytes=0-2")
        write(client, "gone", b"x")
        client.delete("/storage/v1/b/models/o/gone")
    server.stop()
    server = StorageServer(tmp_path, LOOPBACK)
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        rest = session.partition("/upload")[2]
        assert client.put(
            f"/upload{rest}", content=b"de", headers={"Content-Range": "bytes 3-4/5"}
        ).is_success
        client.post("/storage/v1/b/models/o/parts/rewriteTo/b/models/o/copy").raise_for_status()
        assert [read(client, name) for name in ("parts", "copy")] == [b"abcde", b"abcde"]
        assert client.get("/storage/v1/b/models/o/gone").status_code == 404
    server.stop()


@contextmanager
def files_of_at_most(most_bytes: int) -> Iterator[None]:
    """What this process writes ends there, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_disk_does_not_hold_is_507_and_nothing_of_it_stays(
    storage: httpx.Client, tmp_path: Path
) -> None:
    write(storage, "a", b"old")
    files = set((tmp_path / "outer").rglob("*"))
    with files_of_at_most(100_000):
        answer = write(storage, "a", b"n" * 200_000)
    assert answer.status_code == 507
    assert answer.json() == {"error": {"code": 507, "message": "The object can't be kept: File too large."}}
    assert set((tmp_path / "outer").rglob("*")) == files
    assert read(storage, "a") == b"old"
    assert write(storage, "a", b"n" * 200_000).status_code == 200
    assert read(storage, "a") == b"n" * 200_000


def test_a_folder_that_is_gone_is_500(storage: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "outer" / "storage" / "contents").rmdir()
    answer = write(storage, "a", b"x")
    assert answer.status_code == 500
    assert answer.json()["error"]["message"] == "The object can't be kept: No such file or directory."


def test_a_write_over_another_generation_than_expected_is_refused(storage: httpx.Client) -> None:
    bucket = storage_client(str(storage.base_url)).bucket("models")
    first, other = bucket.blob("note"), bucket.blob("note")
    first.upload_from_string(b"first", if_generation_match=0)
    for expected in (0, 17):
        with pytest.raises(PreconditionFailed, match="pre-conditions you specified did not hold"):
            other.upload_from_string(b"other", if_generation_match=expected)
        with pytest.raises(PreconditionFailed):
            other.delete(if_generation_match=expected + 1)
    in_pieces = bucket.blob("note", chunk_size=256 * 1024)
    with pytest.raises(PreconditionFailed):
        in_pieces.upload_from_string(b"x" * 300_000, if_generation_match=0)
    assert read(storage, "note") == b"first"
    in_pieces.upload_from_string(b"x" * 300_000, if_generation_match=first.generation)
    assert read(storage, "note") == b"x" * 300_000
    assert "ifGenerationMatch" not in storage.get("/storage/v1/b/models/o/note").json()
    with pytest.raises(PreconditionFailed):
        bucket.blob("note").delete(if_generation_match=first.generation)
    bucket.blob("note").delete(if_generation_match=in_pieces.generation)
    assert not bucket.blob("note").exists()
