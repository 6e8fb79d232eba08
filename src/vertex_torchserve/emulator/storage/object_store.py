"""Read, write, copy and delete objects through the JSON interface of the storage emulator."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from vertex_torchserve.emulator.rest.rpc_status import RpcError, invalid
from vertex_torchserve.emulator.storage.growing_object import GrowingObject
from vertex_torchserve.resource_rules.bucket_names import bucket_problem, split_uri

_TIMEOUT_SECONDS = 600.0
_PIECE_BYTES = 8 << 20


class GcsUri(NamedTuple):
    """`gs://bucket/name`."""

    bucket: str
    name: str

    @classmethod
    def parse(cls, uri: str) -> "GcsUri":
        """Take a gs:// address apart.

        Raises:
            RpcError: INVALID_ARGUMENT when it is none.
        """
        parts = split_uri(uri)
        if parts is None or bucket_problem(parts[0]):
            raise invalid(f"{uri!r} is not a Cloud Storage address; gs://BUCKET/... is accepted.")
        return cls(*parts)

    @property
    def folder(self) -> str:
        """The prefix of what lies below it: `a/b/` for `a/b` and `a/b/`, "" for the bucket itself."""
        name = self.name.rstrip("/")
        return f"{name}/" if name else ""


class ObjectStore:
    """Objects of the storage emulator at `url`.

    Every method raises RpcError NOT_FOUND when the bucket or the object isn't there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # trust_env: a proxy that the environment names must not be asked for loopback.
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def names(self, bucket: str, prefix: str) -> list[str]:
        """The names that start with `prefix`, in order; markers of empty folders are left out."""
        answer = self._call("GET", _bucket_path(bucket) + "/o", f"gs://{bucket}", params={"prefix": prefix})
        names: list[str] = [item["name"] for item in answer.json()["items"]]
        return [name for name in names if not name.endswith("/")]

    def lines(self, bucket: str, name: str) -> Iterator[bytes]:
        """The lines of an object, some megabytes at a time; only a line feed ends one."""
        rest = b""
        for piece in self._pieces(bucket, name):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        yield rest

    def _pieces(self, bucket: str, name: str) -> Iterator[bytes]:
        # Each in a request of its own: a connection that nobody reads from for a minute is ended.
        piece, read = b"", 0
        while len(piece) == _PIECE_BYTES or not read:
            headers = {"Range": f"bytes={read}-{read + _PIECE_BYTES - 1}"}
            answer = self._http.get(_object_path(bucket, name), params={"alt": "media"}, headers=headers)
            if answer.status_code == 416:  # there is no more
                return
            piece = _checked(answer, f"gs://{bucket}/{name}").content
            read += len(piece)
            yield piece

    def write(self, bucket: str, name: str, content: bytes) -> None:
        """Write an object."""
        self._call(
            "POST",
            f"/upload{_bucket_path(bucket)}/o",
            f"gs://{bucket}",
            params={"uploadType": "media", "name": name},
            headers={"Content-Type": "application/octet-stream"},
            content=content,
        )

    def growing(self, bucket: str, name: str) -> GrowingObject:
        """An object to be written piece by piece."""
        try:
            return GrowingObject(self._http, f"/upload{_bucket_path(bucket)}/o", name)
        except httpx.HTTPStatusError as error:
            _checked(error.response, f"gs://{bucket}")
            raise

    def copy(self, source: GcsUri, target: GcsUri) -> None:
        """Copy one object; its bytes are shared."""
        to = f"b/{quote(target.bucket, safe='')}/o/{quote(target.name, safe='')}"
        self._call(
            "POST",
            f"{_object_path(*source)}/rewriteTo/{to}",
            f"gs://{source.bucket}/{source.name}",
        )

    def delete(self, bucket: str, name: str) -> None:
        """Delete one object."""
        self._call("DELETE", _object_path(bucket, name), f"gs://{bucket}/{name}")

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket when it isn't there."""
        answer = self._http.post("/storage/v1/b", json={"name": bucket})
        if answer.status_code not in {200, 409}:
            raise RpcError(
                "INTERNAL", f"The storage emulator could not create gs://{bucket}: {answer.status_code}"
            )

    def forget_deleted(self, bucket: str) -> None:
        """Switch off the soft deletion of this bucket, which keeps deleted objects for seven days."""
        policy = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
        self._call("PATCH", _bucket_path(bucket), f"gs://{bucket}", json=policy)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(self, method: str, path: str, what: str, **options: Any) -> httpx.Response:
        answer = self._http.request(method, path, **options)
        return _checked(answer, what)


def _checked(answer: httpx.Response, what: str) -> httpx.Response:
    if answer.status_code == 404:
        raise RpcError("NOT_FOUND", f"{what} is not found.")
    if not answer.is_success:
        raise RpcError("INTERNAL", f"The storage emulator answered {answer.status_code} for {what}.")
    return answer


def _bucket_path(bucket: str) -> str:
    return f"/storage/v1/b/{quote(bucket, safe='')}"


def _object_path(bucket: str, name: str) -> str:
    return f"{_bucket_path(bucket)}/o/{quote(name, safe='')}"
