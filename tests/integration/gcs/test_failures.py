"""What the service, the credentials and the disk can do to a transfer."""

import socket
import time
from pathlib import Path

import pytest

from tests.integration.gcs.json_api import Reply, Request, described, listing, refusal, running, serving
from tests.integration.gcs.objects import CHECK_BYTES, CHECK_CRC32C
from vertex_torchserve.errors import InputError
from vertex_torchserve.gcs import (
    GcsPath,
    StorageError,
    download_file,
    download_folder,
    is_object,
    list_folder,
    upload_file,
)

FOLDER = GcsPath("bucket", "model")
# A service that can't be reached is given up after 4 s, one that says it is busy after 60 s.
SOON_SECONDS = 30


@pytest.mark.parametrize(
    ("status", "expected", "fix"),
    [
        (403, "permission denied: alice may not list", "Grant roles/storage.objectViewer on gs://bucket"),
        # google-auth answers a 401 by refreshing, which the emulator's anonymous user can't.
        (
            401,
            "no Google credentials that work: Anonymous credentials",
            "gcloud auth application-default login",
        ),
    ],
)
def test_a_refused_listing_says_what_to_grant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, expected: str, fix: str
) -> None:
    with running(lambda _: refusal(status, "alice may not list"), monkeypatch) as service:
        with pytest.raises(InputError) as failure:
            download_folder(FOLDER, tmp_path / "out")
        assert len(service.requests) == 1
    assert failure.value.message.startswith(f"gs://bucket/model: {expected}")
    assert fix in failure.value.fix
    assert list(tmp_path.iterdir()) == []


def test_a_refused_object_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        if request.is_media:
            return refusal(403, "no storage.objects.get access")
        return listing(*(described(f"model/{number}") for number in range(50)))

    with running(answer, monkeypatch) as service:
        with pytest.raises(InputError, match=r"no storage\.objects\.get access"):
            download_folder(FOLDER, tmp_path / "out")
        # The first refusal ends the work: what was queued behind it is not asked for.
        assert len(service.media()) < 50
    assert list(tmp_path.iterdir()) == []


def test_a_refused_upload_names_the_writers_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.mar").write_bytes(CHECK_BYTES)

    def answer(request: Request) -> Reply:
        return refusal(403, "no storage.objects.create access") if request.method == "POST" else listing()

    with running(answer, monkeypatch), pytest.raises(InputError) as failure:
        upload_file(tmp_path / "a.mar", FOLDER.child("a.mar"))
    assert failure.value.fix == "Grant roles/storage.objectUser on gs://bucket to the account this runs as."


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int) -> None:
    seen: dict[bool, int] = {True: 0, False: 0}
    right = serving(described("model/a.bin"))

    def answer(request: Request) -> Reply:
        seen[request.is_media] += 1
        return refusal(status, "slow down") if seen[request.is_media] == 1 else right(request)

    with running(answer, monkeypatch):
        download_folder(FOLDER, tmp_path)
    assert seen == {True: 2, False: 2}
    assert (tmp_path / "a.bin").read_bytes() == CHECK_BYTES


def test_a_broken_service_is_no_input_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (
        running(lambda _: refusal(418, "teapot"), monkeypatch),
        pytest.raises(StorageError, match="answered 418: teapot") as failure,
    ):
        list_folder(FOLDER)
    assert failure.value.exit_code == 1


def test_the_generation_that_was_listed_is_the_one_downloaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with running(serving(described("model/a.bin")), monkeypatch) as service:
        download_folder(FOLDER, tmp_path)
        assert [request.query["generation"] for request in service.media()] == ["7"]


def test_an_object_replaced_meanwhile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        return refusal(404, "No such object") if request.is_media else listing(described("model/a.bin"))

    with running(answer, monkeypatch), pytest.raises(InputError, match="replaced or deleted while"):
        download_folder(FOLDER, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_bytes_damaged_once_on_the_way_are_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[bytes] = []

    def answer(request: Request) -> Reply:
        if not request.is_media:
            return listing(described("model/a.bin"))
        sent.append(b"12345678X" if not sent else CHECK_BYTES)
        return 206, sent[-1]

    done: list[int] = []
    with running(answer, monkeypatch):
        download_folder(FOLDER, tmp_path, progress=done.append)
    assert len(sent) == 2
    assert sum(done) == 9
    assert (tmp_path / "a.bin").read_bytes() == CHECK_BYTES


@pytest.mark.parametrize(
    "name",
    [
        "../outside.txt",
        "sub/../../outside.txt",
        "/etc/passwd",
        "a//b",
        "./a",
        "..\\outside.txt",
        "C:\\outside.txt",
        "nul\0byte",
        "n" * 256,
    ],
)
def test_names_that_would_escape_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    items = [described("model/fine.txt"), described(f"model/{name}")]
    with running(lambda _: listing(*items), monkeypatch) as service:
        with pytest.raises(InputError, match="can't become a file"):
            download_folder(FOLDER, tmp_path / "in" / "out")
        assert service.media() == []
    assert list(tmp_path.iterdir()) == []


def test_all_wrong_names_are_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    items = [described("model/../a"), described("model//b"), described("model/c"), described("model/c/d")]
    with running(lambda _: listing(*items), monkeypatch), pytest.raises(InputError) as failure:
        download_folder(FOLDER, tmp_path / "out")
    assert len(failure.value.problems) == 3


def test_more_than_the_disk_holds_is_refused_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    huge = {**described("model/a.bin"), "size": str(10**18)}
    with running(lambda _: listing(huge), monkeypatch) as service:
        with pytest.raises(InputError, match="1,000,000,000,000,000,000 bytes are to be downloaded"):
            download_folder(FOLDER, tmp_path / "out")
        assert service.media() == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_stored_compressed_arrives_unpacked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # "hello\n" through gzip, and the CRC32C of that.
    stored = bytes.fromhex("1f8b0800000000000203cb48cdc9c9e7020020303a3606000000")
    item = described("model/a.txt", stored, "Fsf2Vw==", contentEncoding="gzip")
    with running(serving(item, stored), monkeypatch):
        download_folder(FOLDER, tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"hello\n")]


def test_what_only_claims_to_be_compressed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (
        running(serving(described("model/a.txt", contentEncoding="gzip")), monkeypatch),
        pytest.raises(InputError, match="is not gzip"),
    ):
        download_folder(FOLDER, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "crc32c"),
    [
        pytest.param(CHECK_BYTES, CHECK_CRC32C, id="in one request"),
        # Of 9 MiB of zero bytes, worked out byte by byte in plain Python.
        pytest.param(bytes(9 << 20), "Gs/MBw==", id="resumable"),
    ],
)
def test_an_upload_replaces_only_what_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, crc32c: str
) -> None:
    (tmp_path / "a.mar").write_bytes(content)
    theirs = described("model/a.mar", b"theirs", "AAAAAQ==")

    def answer(request: Request) -> Reply:
        return refusal(412, "conditionNotMet") if request.method == "POST" else listing(theirs)

    with running(answer, monkeypatch) as service:
        with pytest.raises(StorageError, match=r"6 bytes \(CRC32C AAAAAQ==\) are stored"):
            upload_file(tmp_path / "a.mar", FOLDER.child("a.mar"))
        (sent,) = [request for request in service.requests if request.method == "POST"]
    assert sent.query["ifGenerationMatch"] == "7"
    assert f'"crc32c": "{crc32c}"'.encode() in sent.body


def test_an_upload_whose_answer_was_lost_is_recognised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.mar").write_bytes(CHECK_BYTES)
    arrived: list[bool] = []

    def answer(request: Request) -> Reply:
        if request.method == "POST":
            arrived.append(True)
            # The first attempt was stored and its answer lost; so the second finds the object changed.
            return refusal(503, "lost") if len(arrived) == 1 else refusal(412, "conditionNotMet")
        return listing(described("model/a.mar")) if arrived else listing()

    with running(answer, monkeypatch):
        result = upload_file(tmp_path / "a.mar", FOLDER.child("a.mar"))
    assert len(arrived) == 2
    assert (result.generation, result.crc32c) == (7, CHECK_CRC32C)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_endpoint_that_is_down_is_told_in_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    host = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
    local = tmp_path / "a.mar"
    local.write_bytes(CHECK_BYTES)
    begun = time.monotonic()
    with pytest.raises(InputError, match=f"nobody answers for Cloud Storage at {host}"):
        download_folder(FOLDER, tmp_path / "out")
    assert time.monotonic() - begun < SOON_SECONDS
    begun = time.monotonic()
    with pytest.raises(InputError, match="nobody answers"):
        upload_file(local, FOLDER.child("a.mar"))
    assert time.monotonic() - begun < SOON_SECONDS
    assert [path.name for path in tmp_path.iterdir()] == ["a.mar"]


def test_an_endpoint_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        with pytest.raises(InputError, match="nobody answers"):
            is_object(FOLDER)
        assert time.monotonic() - begun < SOON_SECONDS


def test_an_endpoint_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:9023")
    with pytest.raises(InputError, match=r"at 127\.0\.0\.1:9023") as failure:
        is_object(FOLDER)
    assert "http://127.0.0.1:9023" in failure.value.fix


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(InputError, match=r"absent\.json") as failure:
        download_file(FOLDER, tmp_path / "out")
    assert "gcloud auth application-default login" in failure.value.fix
    assert failure.value.exit_code == 2
