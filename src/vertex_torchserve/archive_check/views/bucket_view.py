"""A folder in Cloud Storage; its objects are read in ranges and never downloaded."""

import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from vertex_torchserve import gcs
from vertex_torchserve.archive_check.views.view import MemberError
from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving.archive.manifest import REPACK
from vertex_torchserve.serving.archive.members import member_name_problems
from vertex_torchserve.serving.archive.source import as_file


class BucketView:
    """An `ArchiveView` of everything beneath a gs:// folder.

    Args:
        folder: The folder.
        objects: What is beneath it.
    """

    def __init__(self, folder: gcs.GcsPath, objects: list[gcs.StoredObject]) -> None:
        self.origin = str(folder)
        self.sizes: Mapping[str, int] = {item.name: item.size for item in objects}
        self.problems: Sequence[Problem] = member_name_problems(self.origin, list(self.sizes), REPACK)
        self.damage: Problem | None = None
        self._objects = {item.name: item for item in objects}

    def open(self, name: str) -> BinaryIO:
        """A member as a file.

        Raises:
            MemberError: It can't be read.
            StorageError: When Cloud Storage goes on failing.
        """
        if not self.sizes[name]:
            return io.BytesIO()
        try:
            return as_file(gcs.ObjectRanges(self._objects[name]))
        except InputError as error:
            raise MemberError(f"can't be read: {error.message}") from error
