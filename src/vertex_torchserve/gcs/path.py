"""Where something lies in Cloud Storage: a bucket and a key."""

from dataclasses import dataclass

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.resource_rules.bucket_names import SCHEME, bucket_problem, split_uri

_LONGEST_KEY_BYTES = 1024  # https://cloud.google.com/storage/docs/objects#naming
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
        problem = bucket_problem(self.bucket) or _key_problem(self.bucket, self.key)
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
        mounted = text.startswith(_FUSE_MOUNT)
        parts = split_uri(f"{SCHEME}{text.removeprefix(_FUSE_MOUNT)}" if mounted else text)
        if parts is None:
            raise InputError(
                Problem(
                    f"{text!r} is not a Cloud Storage path; accepted are gs://BUCKET/KEY and "
                    "/gcs/BUCKET/KEY.",
                    "Name the bucket and the folder, such as gs://my-bucket/models/my-model.",
                )
            )
        bucket, key = parts
        return cls(bucket, key.removesuffix("/"))

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}" if self.key else f"{SCHEME}{self.bucket}"

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


def _key_problem(bucket: str, key: str) -> Problem | None:
    path = f"{SCHEME}{bucket}/{key}"
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
