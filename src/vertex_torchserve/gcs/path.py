"""Where something lies in Cloud Storage: a bucket and a key."""

import re
from dataclasses import dataclass

from vertex_torchserve.errors import InputError, Problem

# https://cloud.google.com/storage/docs/buckets#naming (the rules that hold for every bucket there is,
# not those for new names only).
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*[a-z0-9]")
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_SHORTEST_BUCKET_NAME = 3
_LONGEST_BUCKET_NAME = 63
_LONGEST_DOTTED_BUCKET_NAME = 222
_LONGEST_KEY_BYTES = 1024  # https://cloud.google.com/storage/docs/objects#naming

_SCHEME = "gs://"
_FUSE_MOUNT = "/gcs/"


@dataclass(frozen=True, order=True)
class GcsPath:
    """A folder or an object in Cloud Storage.

    Attributes:
        bucket: The bucket's name.
        key: The object's or folder's name in it, without a slash at either end; empty for the bucket
            itself. Keys with empty, `.` or `..` parts are refused: no file system can hold them.

    Raises:
        InputError: When the bucket's name or the key can't be used.
    """

    bucket: str
    key: str = ""

    def __post_init__(self) -> None:
        problem = _bucket_problem(self.bucket) or _key_problem(self.bucket, self.key)
        if problem:
            raise InputError(problem)

    @classmethod
    def parse(cls, text: str) -> "GcsPath":
        """Read `gs://bucket/key`, or `/gcs/bucket/key` as KFP names it inside a component.

        Args:
            text: The path; one slash at the end changes nothing.

        Raises:
            InputError: When `text` is not such a path.
        """
        for start in (_SCHEME, _FUSE_MOUNT):
            if text.startswith(start):
                bucket, _, key = text.removeprefix(start).partition("/")
                return cls(bucket, key.removesuffix("/"))
        raise InputError(
            Problem(
                f"{text!r} is not a Cloud Storage path; accepted are gs://BUCKET/KEY and /gcs/BUCKET/KEY.",
                "Name the bucket and the folder, such as gs://my-bucket/models/my-model.",
            )
        )

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}" if self.key else f"{_SCHEME}{self.bucket}"

    @property
    def name(self) -> str:
        """The last part of the key; empty for the bucket itself."""
        return self.key.rpartition("/")[2]

    @property
    def parent(self) -> "GcsPath":
        """The folder this lies in; the bucket is its own parent."""
        return GcsPath(self.bucket, self.key.rpartition("/")[0])

    @property
    def prefix(self) -> str:
        """What the keys of everything beneath this folder start with: `model/`, never `model`."""
        return f"{self.key}/" if self.key else ""

    def child(self, name: str) -> "GcsPath":
        """The path of `name` (which may hold slashes) beneath this folder.

        Raises:
            InputError: When `name` is empty or has empty, `.` or `..` parts.
        """
        if not name:
            raise InputError(Problem(f"An empty name beneath {self}.", "Give the file or folder a name."))
        return GcsPath(self.bucket, f"{self.prefix}{name}")


def _bucket_problem(bucket: str) -> Problem | None:
    longest = _LONGEST_DOTTED_BUCKET_NAME if "." in bucket else _LONGEST_BUCKET_NAME
    if (
        _SHORTEST_BUCKET_NAME <= len(bucket) <= longest
        and all(0 < len(part) <= _LONGEST_BUCKET_NAME for part in bucket.split("."))
        and _BUCKET_NAME.fullmatch(bucket)
        and not _IP_ADDRESS.fullmatch(bucket)
    ):
        return None
    return Problem(
        f"{bucket!r} is not a bucket's name; accepted are 3 to 63 lowercase letters, digits, '-', '_' and "
        "'.', with a letter or digit at both ends.",
        "Correct the bucket in the path, such as gs://my-bucket/models/my-model.",
    )


def _key_problem(bucket: str, key: str) -> Problem | None:
    path = f"{_SCHEME}{bucket}/{key}"
    if key and not {"", ".", ".."}.isdisjoint(key.split("/")):
        return Problem(
            f"{path!r} has an empty, '.' or '..' part; accepted are plain names with one '/' between them.",
            "Take the extra slashes or dots out of the path.",
        )
    if any(character in key for character in "\r\n\0"):
        return Problem(
            f"{path!r} has a line break or a zero byte in it; no object's name may.",
            "Take it out of the path.",
        )
    if len(key.encode()) > _LONGEST_KEY_BYTES:
        return Problem(
            f"'{path[:60]}...' is {len(key.encode())} bytes long after the bucket; accepted are "
            f"{_LONGEST_KEY_BYTES}.",
            "Use a shorter path.",
        )
    return None
