"""gcp-storage-emulator's Storage on files that survive a kill, with the names that Cloud Storage accepts."""

from pathlib import Path
from typing import Any

from gcp_storage_emulator.exceptions import BadRequest
from gcp_storage_emulator.storage import Storage

from vertex_torchserve.emulator.storage.blob_files import BlobFiles
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
        self._expected: str | None = None
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
        self, bucket_name: str, file_name: object, content: bytes, file_obj: Any, file_id: str | None = None
    ) -> None:
        """Write an object.

        Raises:
            BadRequest: For a name that Cloud Storage refuses.
            PreconditionFailedError: Another generation is there than the request expects.
        """
        _refuse(file_name)
        self._require_expected(bucket_name, file_name, file_obj.get(_CONDITION, self._expected))
        # It names the host and port that the writer used: a reader may need others, and uses its own without.
        kept = {field: value for field, value in file_obj.items() if field not in {"mediaLink", _CONDITION}}
        super().create_file(bucket_name, file_name, content, kept, file_id)

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

    def add_to_resumable_upload(self, *args: Any, **kwargs: Any) -> Any:
        """Append a part: the answer says how much has been received, so it must last."""
        content = super().add_to_resumable_upload(*args, **kwargs)
        self._write_config_to_file()
        return content

    def delete_file(self, bucket_name: str, file_name: str) -> None:
        """Delete an object.

        Raises:
            NotFound: There is none.
            PreconditionFailedError: Another generation is there than the request expects.
        """
        self._require_expected(bucket_name, file_name, self._expected)
        super().delete_file(bucket_name, file_name)

    def expect(self, generation: str | None) -> None:
        """Set what the next request expects of the object that it writes or deletes.

        Args:
            generation: The generation, 0 for no such object; None where it doesn't matter.
        """
        self._expected = generation

    def _require_expected(self, bucket_name: str, file_name: object, expected: str | None) -> None:
        there = self.objects.get(bucket_name, {}).get(file_name, {}).get("generation", "0")
        if expected is not None and expected != there:
            raise PreconditionFailedError(
                "At least one of the pre-conditions you specified did not hold: generation "
                f"{expected} is expected, {there} is there."
            )

    def wipe(self, keep_buckets: bool = False) -> None:
        """Forget everything."""
        super().wipe(keep_buckets)
        self._write_config_to_file()

    def _object_path(self, bucket_name: str, file_name: str) -> str:
        # The library's own takes `a/b`, `/a/b` and `a\b` for one object.
        return f"{bucket_name}/{file_name}"


def _refuse(name: object) -> None:
    problem = object_name_problem(name)
    if problem:
        raise BadRequest(problem.message)
