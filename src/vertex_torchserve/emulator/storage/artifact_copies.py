"""The copies of model artifacts that only the serving containers read.

Vertex AI copies the artifact folder to a bucket of its own when a model is uploaded; changing or
deleting the original later changes nothing for the model.
"""

import secrets

from vertex_torchserve.emulator.rest.rpc_status import invalid
from vertex_torchserve.emulator.storage.object_store import GcsUri, ObjectStore

_BUCKET = "vertex-emulator-artifact-copies"


class ArtifactCopies:
    """Copies in a bucket of their own in the storage emulator."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        store.create_bucket(_BUCKET)
        store.forget_deleted(_BUCKET)

    def files(self, uri: str) -> list[str]:
        """The names of the objects in the folder `uri`; `gs://b/ab/x` is not in `gs://b/a`.

        Raises:
            RpcError: INVALID_ARGUMENT when it is no gs:// folder, or holds nothing; NOT_FOUND when the
                bucket isn't there.
        """
        source = GcsUri.parse(uri)
        names = self._store.names(source.bucket, source.folder)
        if not names:
            raise invalid(
                f"artifact_uri {uri!r} holds no objects; a folder that holds the artifact is accepted."
            )
        return names

    def make(self, uri: str) -> str:
        """Copy the folder `uri` as a whole; returns the gs:// folder of the copy."""
        source = GcsUri.parse(uri)
        folder = secrets.token_hex(16)
        copy = f"gs://{_BUCKET}/{folder}"
        try:
            for name in self.files(uri):
                target = GcsUri(_BUCKET, f"{folder}/{name.removeprefix(source.folder)}")
                self._store.copy(GcsUri(source.bucket, name), target)
        except BaseException:
            self.remove(copy)
            raise
        return copy

    def remove(self, copy: str) -> None:
        """Delete a copy that `make` returned; an empty string is no copy."""
        if copy:
            folder = GcsUri.parse(copy).folder
            for name in self._store.names(_BUCKET, folder):
                self._store.delete(_BUCKET, name)
