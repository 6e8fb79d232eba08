"""What a Python and an image are compared in, and what the image must have."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from testbed.archives import rewrite_archive, write_archive
from vertex_torchserve.archive_check.check import findings_of
from vertex_torchserve.archive_check.image_modules import ImageModules, of_our_images
from vertex_torchserve.archive_check.opening import open_archive
from vertex_torchserve.archive_check.subject import Subject
from vertex_torchserve.errors import ServingError
from vertex_torchserve.packaged_files import reference_handler
from vertex_torchserve.smoke_test.image_comparison import compare, require_in_image, this_python

# This Python has what the image has, and these.
ALSO_HERE = {"pandas": "2.3.0", "peft": "0.18.0"}
IMAGE = of_our_images()
HERE = dataclasses.replace(
    IMAGE,
    name="this Python",
    python="3.12.4",
    versions={**IMAGE.versions, **ALSO_HERE, "transformers": "9.9.0", "rich": "1.0"},
    owners={**IMAGE.owners, **{name: name for name in ALSO_HERE}},
)


def subject(folder: Path, handler: str, image: ImageModules = IMAGE, **manifest: str) -> Subject:
    files: Mapping[str, str] = {
        "requirements.txt": "pandas==2.3.0\n",
        "beside.py": "import transformers\n",
        "model.py": "import yaml\n",
    }
    mar = write_archive(folder, handler, files=files, **manifest)
    return Subject(open_archive(str(mar)).view, image, is_archive=True)


def missing(found: Subject, here: ImageModules = HERE) -> str:
    try:
        require_in_image(found, findings_of(found), here)
    except ServingError as error:
        return error.message
    return ""


def test_only_what_the_code_can_reach_is_compared(tmp_path: Path) -> None:
    found = compare(
        subject(tmp_path, "import beside, json\nfrom PIL import Image\n", modelFile="model.py"), HERE
    )
    assert found.image == "the serving image"
    assert found.compared == (
        "Python", "pillow", "pyyaml", "tokenizers", "torch", "torchserve", "transformers",
        "vertex-torchserve",
    )  # fmt: skip
    assert found.as_sentences() == [
        f"proved with Python 3.12, the serving image has {IMAGE.python}",
        f"proved with transformers 9.9.0, the serving image has {IMAGE.versions['transformers']}",
    ]


def test_what_is_caught_where_it_lacks_is_told_and_accepted(tmp_path: Path) -> None:
    guarded = subject(tmp_path, "try:\n    import peft\nexcept ImportError:\n    peft = None\n")
    assert "proved with peft 0.18.0, the serving image has none" in compare(guarded, HERE).as_sentences()
    assert missing(guarded) == ""


def test_the_reference_handlers_tasks_are_reached_though_it_imports_them_by_name(tmp_path: Path) -> None:
    files = {name: path.read_bytes() for name, path in reference_handler().items()}
    manifest = {"model": {"modelName": "model", "modelVersion": "1.0", "handler": "huggingface_handler.py"}}
    files["MAR-INF/MANIFEST.json"] = json.dumps({"runtime": "python", **manifest}).encode()
    mar = tmp_path / "reference.mar"
    rewrite_archive(write_archive(tmp_path), mar, files, without=["handler.py"])
    found = Subject(open_archive(str(mar)).view, IMAGE, is_archive=True)
    assert {"transformers", "safetensors", "numpy", "tokenizers"} <= set(compare(found, HERE).compared)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("import pandas\n", "handler.py:1: imports pandas, which is not in the archive, the serving image"),
        (
            "def handle(data, context):\n    import pandas\n    return data\n",
            "handler.py:2: imports pandas when it runs; this Python has 2.3.0, the serving image has none",
        ),
    ],
    ids=["at its top", "in a function"],
)
def test_a_library_that_the_image_lacks(tmp_path: Path, handler: str, said: str) -> None:
    assert said in missing(subject(tmp_path, handler))
    assert missing(subject(tmp_path, handler, requirementsFile="requirements.txt")) == ""
    has = dataclasses.replace(HERE, name="an image that has it")
    assert missing(subject(tmp_path, handler, has)) == ""


def test_what_this_python_lacks_too_was_proved_without(tmp_path: Path) -> None:
    """Imported in a function that the requests reach, it would have failed here as well."""
    late = subject(tmp_path, "def handle(data, context):\n    import pandas\n    return data\n")
    assert missing(late, dataclasses.replace(IMAGE, name="this Python")) == ""


def test_this_python_says_what_it_has() -> None:
    here = this_python()
    assert here.versions["torchserve"] == "0.12.0"
    assert here.owners["ts"] == "torchserve"
    assert here.package_of("google.cloud.storage.blob") == "google-cloud-storage"
    assert here.package_of("PIL.Image") == "pillow"
    assert here.package_of("json") is None
