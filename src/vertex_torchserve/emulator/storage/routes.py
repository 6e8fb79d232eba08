"""Which function answers a request: the library's, but for those through which the bytes of objects go."""

import re
from collections.abc import Callable

from gcp_storage_emulator import server
from gcp_storage_emulator.handlers import objects

from vertex_torchserve.emulator.storage import copies, downloads, uploads
from vertex_torchserve.emulator.storage.downloads import FileResponse
from vertex_torchserve.emulator.storage.kept_storage import KeptStorage, generation_expected
from vertex_torchserve.emulator.storage.request_body import BodyRequest

Answer = Callable[[BodyRequest, FileResponse, KeptStorage], None]
_ROUTES = tuple((re.compile(pattern), handlers) for pattern, handlers in server.HANDLERS)
# The library's hold every object in memory, and make its checksums while nobody else is answered.
_OWN: dict[object, Answer] = {
    objects.insert: uploads.begin_or_put,
    objects.upload_partial: uploads.put_part,
    objects.xml_upload: uploads.put_whole,
    objects.download: downloads.get,
    objects.copy: copies.copy,
    objects.rewrite: copies.rewrite,
}


def answer_to(request: BodyRequest) -> Answer | None:
    """What answers a request; None for a method or an address that is not emulated."""
    for pattern, handlers in _ROUTES:
        if match := pattern.fullmatch(request.path):
            request.set_match(match)
            found = handlers.get(request.method)
            if found is None and request.method == "POST" and request.path.endswith("/o"):
                found = objects.insert  # some clients leave out the `/upload` before the path
            if found is objects.get and request.query.get("alt") == ["media"]:
                return downloads.get
            return _OWN.get(found) or (_library(found) if found else None)
    return None


def _library(handler: Callable[..., None]) -> Answer:
    def answer(request: BodyRequest, response: FileResponse, storage: KeptStorage) -> None:
        request.read()
        with storage.changing(generation_expected(request)):
            handler(request, response, storage)

    return answer
