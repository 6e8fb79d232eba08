"""Copies of objects inside the storage: they share the bytes of their originals, which never change."""

from typing import Any

from gcp_storage_emulator.handlers import objects
from gcp_storage_emulator.server import Response

from vertex_torchserve.emulator.storage.kept_storage import KeptStorage, generation_expected
from vertex_torchserve.emulator.storage.request_body import BodyRequest


def copy(request: BodyRequest, response: Response, storage: KeptStorage) -> None:
    """Answer objects.copy.

    Raises:
        NotFound: There is no such object, or no bucket for the copy.
    """
    response.json(_copied(request, storage))


def rewrite(request: BodyRequest, response: Response, storage: KeptStorage) -> None:
    """Answer objects.rewrite, which is done at once.

    Raises:
        NotFound: There is no such object, or no bucket for the copy.
    """
    copied = _copied(request, storage)
    size = str(copied["size"])
    response.json(
        {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": size,
            "objectSize": size,
            "done": True,
            "resource": copied,
        }
    )


def _copied(request: BodyRequest, storage: KeptStorage) -> dict[str, Any]:
    request.read()
    source, name = request.params["bucket_name"], request.params["object_id"]
    bucket, copy_name = request.params["dest_bucket_name"], request.params["dest_object_id"]
    with storage.changing(generation_expected(request)):
        original = storage.get_file_obj(source, name)
        described: dict[str, Any] = objects._make_object_resource(
            request.base_url, bucket, copy_name, original["contentType"], original["size"], original
        )
        described["etag"] = described["md5Hash"]
        storage.create_file(bucket, copy_name, storage.content(source, name), described)
    return described
