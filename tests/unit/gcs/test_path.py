"""Reading gs:// paths."""

import subprocess
import sys
from typing import Any

import pytest

from vertex_torchserve.errors import InputError
from vertex_torchserve.gcs import GcsPath


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("gs://bucket", "bucket", ""),
        ("gs://bucket/", "bucket", ""),
        ("gs://bucket/model", "bucket", "model"),
        ("gs://bucket/models/my model/", "bucket", "models/my model"),
        ("gs://my.bucket_1-a/größe/模型", "my.bucket_1-a", "größe/模型"),
        ("/gcs/bucket/models/one", "bucket", "models/one"),
        ("gs://bucket/a?b#c*[d]", "bucket", "a?b#c*[d]"),
    ],
)
def test_paths_that_can_be_used(text: str, bucket: str, key: str) -> None:
    path = GcsPath.parse(text)
    assert (path.bucket, path.key) == (bucket, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bucket/model",
        "s3://bucket/model",
        "GS://bucket/model",
        "/tmp/model",
        "https://storage.googleapis.com/b/m",
    ],
)
def test_what_is_no_path_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(InputError, match="accepted are gs://BUCKET/KEY and /gcs/BUCKET/KEY") as failure:
        GcsPath.parse(text)
    assert repr(text) in failure.value.message
    assert failure.value.fix


@pytest.mark.parametrize(
    "bucket",
    [
        "",
        "ab",
        "a" * 64,
        "My-Bucket",
        "-bucket",
        "bucket-",
        "buc ket",
        "bucket..x",
        "10.0.0.1",
        "a." * 111 + "a",
        "b\n",
    ],
)
def test_bucket_names_that_cannot_be(bucket: str) -> None:
    with pytest.raises(InputError, match="is not a bucket's name"):
        GcsPath.parse(f"gs://{bucket}/model")


@pytest.mark.parametrize("bucket", ["abc", "a" * 63, "1.2.3", "a." * 110 + "ab", "cloud-samples-data"])
def test_bucket_names_that_can_be(bucket: str) -> None:
    assert GcsPath.parse(f"gs://{bucket}/model").bucket == bucket


@pytest.mark.parametrize(
    "key", ["a//b", "/a", "a//", "a/../b", "..", "a/./b", "a\nb", "a\0b", "k" * 1025, "é" * 513]
)
def test_keys_that_cannot_be(key: str) -> None:
    with pytest.raises(InputError):
        GcsPath.parse(f"gs://bucket/{key}")


def test_family() -> None:
    path = GcsPath.parse("gs://bucket/models/one")
    assert str(path) == "gs://bucket/models/one"
    assert path.name == "one"
    assert str(path.parent) == "gs://bucket/models"
    assert str(path.parent.parent) == "gs://bucket"
    assert str(path.parent.parent.parent) == "gs://bucket"
    assert path.parent.parent.name == ""
    assert str(path.child("a/b.mar")) == "gs://bucket/models/one/a/b.mar"
    assert str(GcsPath("bucket").child("a")) == "gs://bucket/a"


@pytest.mark.parametrize("name", ["", "..", "a/../b", "/a", "a/"])
def test_children_stay_beneath(name: str) -> None:
    with pytest.raises(InputError):
        GcsPath("bucket", "model").child(name)


def test_a_path_does_not_change() -> None:
    path: Any = GcsPath("bucket", "model")
    with pytest.raises(AttributeError):
        path.key = "other"


def test_importing_it_loads_no_client() -> None:
    program = (
        "import sys, vertex_torchserve.gcs;"
        "print('google.cloud.storage' in sys.modules, 'requests' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
