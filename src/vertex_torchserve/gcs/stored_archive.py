"""Which archive a path means."""

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.gcs.listing import is_object, list_folder
from vertex_torchserve.gcs.path import GcsPath


def archive_at(path: GcsPath) -> GcsPath:
    """The .mar that a path names, or that lies in its folder.

    Raises:
        InputError: There is none, or there are several; storage can't be read.
    """
    if is_object(path):
        return path
    names = [item.name for item in list_folder(path)]
    archives = [name for name in names if name.endswith(".mar") and "/" not in name]
    if len(archives) != 1:
        raise InputError(
            Problem(
                f"{path} holds {', '.join(archives) or 'no .mar'}; a .mar, or a folder with one, is needed",
                "name the .mar",
            )
        )
    return path.child(archives[0])
