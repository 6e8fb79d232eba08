"""Contents that go out: from the file to the socket by the kernel, whole or a range."""

import re
from http import HTTPStatus
from typing import Any, BinaryIO

from gcp_storage_emulator.server import Response

from vertex_torchserve.emulator.storage.kept_storage import KeptStorage
from vertex_torchserve.emulator.storage.request_body import BodyRequest

_RANGE = re.compile(r"\s*bytes=(?P<first>[0-9]*)-(?P<last>[0-9]*)\s*")


class FileResponse(Response):  # type: ignore[misc]
    """The library's response, which may have a file for its content."""

    def __init__(self, handler: Any) -> None:
        super().__init__(handler)
        self._file: BinaryIO | None = None
        self._first = self._count = 0

    def send_file(self, file: BinaryIO, first: int, count: int) -> None:
        """Answer with `count` bytes of `file` from `first` on; `close` closes it."""
        self._file, self._first, self._count = file, first, count

    def close(self) -> None:
        """Send the answer."""
        if self._file is None:
            super().close()
            return
        with self._file as file:
            self._handler.send_response(self.status.value, self.status.phrase)
            for name, value in self._headers.items():
                self._handler.send_header(name, value)
            self._handler.send_header("Content-Length", str(self._count))
            self._handler.end_headers()
            if self._count:
                self._handler.connection.sendfile(file, self._first, self._count)


def get(request: BodyRequest, response: FileResponse, storage: KeptStorage) -> None:
    """Answer with an object's content, or with a range of it.

    Raises:
        NotFound: There is no such object.
    """
    bucket, name = request.params["bucket_name"], request.params["object_id"]
    with storage.changing():
        described = storage.get_file_obj(bucket, name)
        content = storage.content(bucket, name)
        file = content.path.open("rb")
    first, end = 0, content.size
    asked = _RANGE.fullmatch(request.get_header("Range") or "")
    if asked and any(asked.groups()):
        first, end = _bounds(asked, content.size)
        if first >= end:
            file.close()
            response.status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            response["Content-Range"] = f"bytes */{content.size}"
            return
        response.status = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {first}-{end - 1}/{content.size}"
    else:
        response["X-Goog-Hash"] = f"crc32c={described['crc32c']},md5={described['md5Hash']}"
    if described.get("contentType"):
        response["Content-Type"] = described["contentType"]
    if disposition := request.query.get("response-content-disposition"):
        response["Content-Disposition"] = disposition[0]
    for key, value in (described.get("metadata") or {}).items():
        if value is not None:
            response[f"x-goog-meta-{key}"] = str(value)
    response.send_file(file, first, end - first)


def _bounds(asked: re.Match[str], size: int) -> tuple[int, int]:
    """The first byte of a range and the one after its last; `bytes=-5` are the last five."""
    if not asked["first"]:
        return max(0, size - int(asked["last"])), size
    return int(asked["first"]), min(size, int(asked["last"]) + 1) if asked["last"] else size
