"""Names of Cloud Storage buckets, and gs:// addresses, which start with one.

https://cloud.google.com/storage/docs/buckets#naming: the rules that hold for every bucket there is, not those
for new names only.
"""

import re

from vertex_torchserve.errors import Problem

SCHEME = "gs://"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*[a-z0-9]")
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_LEAST_CHARACTERS = 3
_MOST_CHARACTERS = 63
_MOST_CHARACTERS_WITH_DOTS = 222


def split_uri(uri: str) -> tuple[str, str] | None:
    """Bucket and object name of `gs://bucket/name`; None when it is no gs:// address.

    Args:
        uri: Neither the bucket's name nor the object's is checked; the object's may be empty.
    """
    if not uri.startswith(SCHEME):
        return None
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    return bucket, name


def bucket_problem(bucket: str) -> Problem | None:
    """Why no bucket can have this name; None when one can."""
    most = _MOST_CHARACTERS_WITH_DOTS if "." in bucket else _MOST_CHARACTERS
    if (
        _LEAST_CHARACTERS <= len(bucket) <= most
        and all(0 < len(part) <= _MOST_CHARACTERS for part in bucket.split("."))
        and _NAME.fullmatch(bucket)
        and not _IP_ADDRESS.fullmatch(bucket)
    ):
        return None
    return Problem(
        f"{bucket!r} is not a bucket's name; accepted are 3 to 63 lowercase letters, digits, '-', '_' and "
        "'.', with a letter or digit at both ends.",
        "Correct the bucket in the path, such as gs://my-bucket/models/my-model.",
    )
