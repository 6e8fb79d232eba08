"""gcp-storage-emulator's Storage on files that survive a kill, with the names that Cloud Storage accepts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gcp_storage_emulator.exceptions import BadRequest, NotFound
from gcp_storage_emulator.server import Request
from gcp_storage_emulator.storage import RESUMABLE_DIR, Storage

from vertex_torchserve.emulator.storage.blob_files import BlobFiles
from vertex_torchserve.emulator.storage.contents import ArrivingContent, Content
from vertex_torchserve.resource_rules.bucket_names import bucket_problem
from vertex_torchserve.resource_rules.object_names import object_name_problem

# Where a resumable upload keeps the precondition it was begun with.
_CONDITION = "ifGenerationMatch"


class PreconditionFailedError(Exception):
    """The object is not of the generation that the request expects; 0 means that there is none."""


class KeptStorage(Storage):  # type: ignore[misc]
    """Buckets and objects in a folder; what was acknowledged is there after a kill.

    Args:
        folder: Where they lie; made when missing.

    Raises:
        InputError: When the folder's index is not one of ours.
        OSError: When the folder can't be used.
    """

    def __init__(self, folder: Path) -> None:
        # In memory: else the library makes its own files, whose index it rewrites in place.
        super().__init__(use_memory_fs=True)
        self._lock = threading.Lock()
        self._expected: str | None = None
        self._uploads: dict[str, ArrivingContent] = {}
        self._store = BlobFiles(folder)
        self._read_config_from_file()

    def create_bucket(self, bucket_name: object, bucket_obj: Any) -> Any:
        """Create or replace a bucket.

        Raises:
            BadRequest: For a name that Cloud Storage refuses.
        """
        problem = bucket_problem(bucket_name) if isinstance(bucket_name, str) else None
        if problem or not isinstance(bucket_name, str):
            raise BadRequest(problem.message if problem else f"name: {bucket_name!r} is not a text.")
        return super().create_bucket(bucket_name, bucket_obj)

    def create_file(
        self,
        bucket_name: str,
        file_name: object,
        content: bytes | Content,
        file_obj: Any,
        file_id: str | None = None,
    ) -> None:
        """Write an object.

        Args:
            bucket_name: Its bucket.
            file_name: Its name.
            content: Its bytes.
            file_obj: Its description.
            file_id: The resumable upload that ends with this.

        Raises:
            BadRequest: For a name that Cloud Storage refuses.
            PreconditionFailedError: Another generation is there than the request expects.
        """
        _refuse(file_name)
        self._require_expected(bucket_name, file_name, file_obj.get(_CONDITION, self._expected))
        # It names the host and port that the writer used: a reader may need others, and uses its own without.
        kept = {field: value for field, value in file_obj.items() if field not in {"mediaLink", _CONDITION}}
        super().create_file(bucket_name, file_name, content, kept, file_id)
        if file_id:
            del self._uploads[file_id]

    def create_resumable_upload(self, bucket_name: str, file_name: object, file_obj: Any) -> str:
        """Begin an upload in several requests.

        Raises:
            BadRequest: For a name that Cloud Storage refuses.
        """
        _refuse(file_name)
        if self._expected is not None:
            # Cloud Storage compares when the upload is complete, too.
            self._require_expected(bucket_name, file_name, self._expected)
            file_obj[_CONDITION] = self._expected
        return str(super().create_resumable_upload(bucket_name, file_name, file_obj))

    def upload(self, file_id: str) -> ArrivingContent:
        """What has come of an upload in several requests.

        Raises:
            NotFound: There is no such upload.
        """
        with self._lock:
            self.get_resumable_file_obj(file_id)
            if file_id not in self._uploads:
                path = self._object_path(RESUMABLE_DIR, self.safe_id(file_id))
                try:
                    self._uploads[file_id] = ArrivingContent(self._store.content(path).path)
                except FileNotFoundError:
                    self._uploads[file_id] = arriving = self.arriving()
                    self._store.write_bytes(path, arriving.content())
                    self._write_config_to_file()
            return self._uploads[file_id]

    def arriving(self) -> ArrivingContent:
        """A content that is about to be received; it is nobody's until it is given to `create_file`."""
        return ArrivingContent(self._store.new_file())

    def discard(self, arriving: ArrivingContent) -> None:
        """Remove what `arriving` has given, unless it has become an object's content."""
        with self._lock:
            self._store.discard(arriving.path)

    def content(self, bucket_name: str, file_name: str) -> Content:
        """The content of an object, unread.

        Raises:
            NotFound: There is no such object.
        """
        try:
            content: Content = self._store.content(self._object_path(bucket_name, file_name))
        except FileNotFoundError:
            raise NotFound from None
        return content

    def get_file(self, bucket_name: str, file_name: str, show_error: bool = True) -> bytes | Content:
        """The content of an object: read for the library's handlers, unread for its storage.

        Args:
            bucket_name: The bucket.
            file_name: The object.
            show_error: What the library's storage sets to False when it moves a content itself.

        Raises:
            NotFound: There is no such object.
        """
        content = self.content(bucket_name, file_name)
        return content.path.read_bytes() if show_error else content

    def get_soft_deleted_file(self, bucket_name: str, file_name: str, generation: str) -> Content:
        """The content of a deleted object that is kept for a while.

        Raises:
            NotFound: There is none.
        """
        self.get_soft_deleted_file_obj(bucket_name, file_name, generation)
        path = self._soft_delete_content_path(bucket_name, file_name, generation)
        content: Content = self._store.content(path)
        return content

    def delete_file(self, bucket_name: str, file_name: str) -> None:
        """Delete an object.

        Raises:
            NotFound: There is none.
            PreconditionFailedError: Another generation is there than the request expects.
        """
        self._require_expected(bucket_name, file_name, self._expected)
        super().delete_file(bucket_name, file_name)

    @contextmanager
    def changing(self, expected: str | None = None) -> Iterator[None]:
        """Be the only one that reads or changes buckets and objects: nothing is between a look and a write.

        Args:
            expected: The generation that the object must be of that is written or deleted, 0 for no such
                object; None where it doesn't matter.
        """
        with self._lock:
            self._expected = expected
            yield

    def _require_expected(self, bucket_name: str, file_name: object, expected: str | None) -> None:
        there = self.objects.get(bucket_name, {}).get(file_name, {}).get("generation", "0")
        if expected is not None and expected != there:
            raise PreconditionFailedError(
                "At least one of the pre-conditions you specified did not hold: generation "
                f"{expected} is expected, {there} is there."
            )

    def wipe(self, keep_buckets: bool = False) -> None:
        """Forget everything."""
        self._uploads.clear()
        super().wipe(keep_buckets)
        self._write_config_to_file()

    def _object_path(self, bucket_name: str, file_name: str) -> str:
        # The library's own takes `a/b`, `/a/b` and `a\b` for one object.
        return f"{bucket_name}/{file_name}"


def _refuse(name: object) -> None:
    problem = object_name_problem(name)
    if problem:
        raise BadRequest(problem.message)


def generation_expected(request: Request) -> str | None:
    """What a request says in `ifGenerationMatch`; None when it doesn't."""
    generation: str = request.query.get("ifGenerationMatch", [None])[0]
    return generation
