"""Objects that arrive as they are: whole, or in the parts of a resumable upload, never held in memory."""

from gcp_storage_emulator.exceptions import BadRequest, Conflict
from gcp_storage_emulator.handlers import objects
from gcp_storage_emulator.server import Response

from vertex_torchserve.emulator.storage.contents import ArrivingContent
from vertex_torchserve.emulator.storage.kept_storage import KeptStorage, generation_expected
from vertex_torchserve.emulator.storage.request_body import BodyRequest


def put_whole(request: BodyRequest, response: Response, storage: KeptStorage) -> None:
    """Take an object whose content is the body.

    Raises:
        NotFound: There is no such bucket.
    """
    name = request.params.get("object_id") or request.query["name"][0]
    bucket = request.params["bucket_name"]
    arriving = storage.arriving()
    try:
        arriving.append(request.body.pieces())
        described = objects._make_object_resource(
            request.base_url,
            bucket,
            name,
            objects._content_type_from_request(
                request, request.get_header("content-type", "application/octet-stream")
            ),
            str(arriving.size),
        )
        _add_checksums(described, arriving)
        content = arriving.content()
        with storage.changing(generation_expected(request)):
            storage.create_file(bucket, name, content, described)
    except BaseException:
        storage.discard(arriving)
        raise
    response.json(described)


def put_part(request: BodyRequest, response: Response, storage: KeptStorage) -> None:
    """Take a part of a resumable upload, or say how much has come (`bytes */TOTAL`).

    https://cloud.google.com/storage/docs/performing-resumable-uploads: bytes that are there already are
    ignored, so that a part may be sent again when its answer was lost.

    Raises:
        NotFound: There is no such upload.
        BadRequest: The part doesn't begin where the last one ended, or has another size than it says.
        Conflict: The whole has another checksum than was announced.
    """
    upload_id = request.query["upload_id"][0]
    arriving = storage.upload(upload_id)
    asked = objects._parse_resumable_content_range(request.get_header("Content-Range") or "")
    with arriving.receiving:
        if asked is None:
            arriving.append(request.body.pieces(skipped=arriving.size))
            total = arriving.size
        else:
            total = asked["total"]
            if asked["kind"] != "status":
                _append(arriving, request, asked)
                if asked["kind"] == "star_end" and total is None:
                    total = arriving.size
        if total is None or arriving.size < total:
            response.status = objects.GoogleHTTPStatus.RESUME_INCOMPLETE
            if arriving.size:
                response["Range"] = f"bytes=0-{arriving.size - 1}"
            return
        if arriving.size > total:
            raise BadRequest(f"{arriving.size} bytes have come of an object of {total}.")
        response.json(_finish(upload_id, arriving, storage))


def _append(arriving: ArrivingContent, request: BodyRequest, asked: dict[str, int]) -> None:
    start, end, length = asked["start"], asked["end"], request.body.length
    if start > arriving.size:
        raise BadRequest(f"Invalid Content-Range start: expected {arriving.size}, got {start}")
    if end is not None and length is not None and length != end - start + 1:
        raise BadRequest(f"Content-Range names {end - start + 1} bytes, the body has {length}.")
    arriving.append(request.body.pieces(skipped=arriving.size - start))


def _finish(upload_id: str, arriving: ArrivingContent, storage: KeptStorage) -> dict[str, object]:
    described: dict[str, object] = dict(storage.get_resumable_file_obj(upload_id))
    _add_checksums(described, arriving)
    described["size"] = str(arriving.size)
    content = arriving.content()
    with storage.changing():
        storage.create_file(str(described["bucket"]), described["name"], content, described, upload_id)
    return described


def _add_checksums(described: dict[str, object], arriving: ArrivingContent) -> None:
    """Put the checksums into an object's description, where the client may have announced them.

    Raises:
        Conflict: It has announced others.
    """
    for name, found in arriving.checksums().items():
        announced = described.get(name)
        if announced and announced != found:
            words = {"crc32c": "CRC32C", "md5Hash": "MD5 hash"}[name]
            raise Conflict(f'Provided {words} "{announced}" doesn\'t match calculated {words} "{found}".')
        described[name] = found
    described["etag"] = described.get("etag") or described["md5Hash"]


def begin_or_put(request: BodyRequest, response: Response, storage: KeptStorage) -> None:
    """Take what comes to the address for uploads.

    Raises:
        NotFound: There is no such bucket or upload.
        BadRequest, Conflict: As for `put_part`.
    """
    if "upload_id" in request.query:
        put_part(request, response, storage)
    elif request.query.get("uploadType") == ["media"]:
        put_whole(request, response, storage)
    else:
        # A resumable upload begins, or an object comes beside its description: Google's clients send
        # at most 8 MB so.
        request.read()
        with storage.changing(generation_expected(request)):
            objects.insert(request, response, storage)
