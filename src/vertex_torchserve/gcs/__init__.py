"""Cloud Storage: gs:// paths, and checked, parallel transfers between buckets and the local disk.

The only user of google-cloud-storage. Importing it loads no Google module: the client is loaded by the
first call that needs it.
"""

from vertex_torchserve.gcs.download import download, download_file, download_folder
from vertex_torchserve.gcs.failures import StorageError
from vertex_torchserve.gcs.listing import StoredObject, find_object, is_object, list_folder, nothing_beneath
from vertex_torchserve.gcs.path import GcsPath
from vertex_torchserve.gcs.ranges import ObjectRanges
from vertex_torchserve.gcs.stored_archive import archive_at
from vertex_torchserve.gcs.upload import is_stored, upload_file

__all__ = [
    "GcsPath",
    "ObjectRanges",
    "StorageError",
    "StoredObject",
    "archive_at",
    "download",
    "download_file",
    "download_folder",
    "find_object",
    "is_object",
    "is_stored",
    "list_folder",
    "nothing_beneath",
    "upload_file",
]
