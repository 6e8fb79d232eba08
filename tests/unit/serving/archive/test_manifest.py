import zipfile
from pathlib import Path

import pytest

from testbed.archives import write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.manifest import Manifest, read_manifest, verify_members


def test_reads_the_manifest(tmp_path: Path) -> None:
    mar = write_archive(tmp_path, modelVersion="2.0")
    assert read_manifest(mar) == Manifest(model_name="model", model_version="2.0", handler="handler.py")
    verify_members(mar)


def test_a_file_that_is_not_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "model.mar"
    path.write_text("not a zip")
    with pytest.raises(InputError, match=r"is not a model archive: File is not a zip file \(9 bytes\)"):
        read_manifest(path)


def test_a_truncated_archive(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    mar.write_bytes(mar.read_bytes()[:-30])
    with pytest.raises(InputError, match="is not a model archive"):
        read_manifest(mar)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a file"):
        read_manifest(tmp_path / "none.mar")


def test_no_manifest(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.mar", "w") as archive:
        archive.writestr("handler.py", "")
    with pytest.raises(InputError, match=r"has no MAR-INF/MANIFEST\.json"):
        read_manifest(tmp_path / "model.mar")


@pytest.mark.parametrize(
    "manifest",
    [
        "[]",
        "{",
        '{"model": {"handler": "h.py"}}',
        '{"model": 3}',
        '{"model": {"modelName": "m", "handler": "base_handler", "configFile": ["a"]}}',
        " " * (1 << 20) + "{}",
        '{"model": {"modelName": null, "handler": "h.py"}}',
        '{"model": {"modelName": "m", "handler": null}}',
        '{"model": {"modelName": "m", "handler": "base_handler"}, "runtime": ["python"]}',
        '{"model": ' + "[" * 100_000,
        '{"model": {"modelName": "m", "handler": "base_handler"}, "x": 1' + "0" * 400 + "}",
    ],
    ids=[
        "a list",
        "no JSON",
        "no name",
        "no object",
        "a name that is a list",
        "more than a megabyte",
        "a name of null",
        "a handler of null",
        "a runtime that is a list",
        "100,000 levels",
        "400 digits",
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, manifest: str) -> None:
    with zipfile.ZipFile(tmp_path / "model.mar", "w") as archive:
        archive.writestr("MAR-INF/MANIFEST.json", manifest)
    with pytest.raises(InputError, match="is not a manifest"):
        read_manifest(tmp_path / "model.mar")


def test_files_the_manifest_names_must_be_there(tmp_path: Path) -> None:
    mar = write_archive(tmp_path, serializedFile="model.pt", requirementsFile="requirements.txt")
    with pytest.raises(InputError, match=r"serializedFile 'model\.pt'(.|\n)*requirementsFile"):
        read_manifest(mar)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "a/../../evil", "a\\..\\evil"])
def test_names_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr(name, "")
    with pytest.raises(InputError, match="names that leave the model folder"):
        read_manifest(mar)


@pytest.mark.parametrize("name", ["", "-m", "a,b", "a=b", "a b", "m\nenable_model_api"])
def test_a_model_name_that_torchserve_would_take_apart(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="the manifest names the model"):
        read_manifest(write_archive(tmp_path, modelName=name))


def test_the_longest_model_name(tmp_path: Path) -> None:
    assert read_manifest(write_archive(tmp_path, modelName="m" * 200)).model_name == "m" * 200
    with pytest.raises(InputError, match=r"201 characters; accepted are letters(.|\n)*at most 200"):
        read_manifest(write_archive(tmp_path, modelName="m" * 201))


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("v" * 201, f"{'v' * 79}..., 201 characters"),
        ("", "'', 0 characters"),
        ("1\n2", "'1\\\\n2', 3 characters"),
    ],
)
def test_a_version_that_is_none(tmp_path: Path, version: str, shown: str) -> None:
    with pytest.raises(InputError, match=f"the manifest has the version '?{shown}; accepted are printable"):
        read_manifest(write_archive(tmp_path, modelVersion=version))


def test_the_longest_version(tmp_path: Path) -> None:
    assert read_manifest(write_archive(tmp_path, modelVersion="v 1" + "0" * 197)).model_version[:3] == "v 1"


def added(mar: Path, name: str, attributes: int = 0) -> Path:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, attributes << 16
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr(info, "content")
    return mar


@pytest.mark.parametrize(
    ("name", "attributes", "found"),
    [
        ("link", 0o120777, "links, of which only files are accepted: link"),
        ("pipe", 0o010644, "links, of which only files are accepted: pipe"),
        ("./handler.py", 0o100644, r"several files of one name: handler\.py"),
        ("handler.py/sub", 0o100644, r"files that are folders too: handler\.py"),
        ("a/" + "b" * 256, 0o100644, "names with a part of more than 255 bytes: a/bbb"),
        ("a/" * 512 + "b", 0o100644, "names of more than 1,024 bytes: a/a/"),
        (".", 0o100644, r"names that name no file: \."),
        (
            "golden-request.json/x",
            0o100644,
            "folders in place of golden-request.json or MAR-INF/model-config.yaml",
        ),
        ("MAR-INF/model-config.yaml/x", 0o100644, "folders in place of golden-request.json or MAR-INF"),
    ],
)
def test_members_that_can_not_become_files(tmp_path: Path, name: str, attributes: int, found: str) -> None:
    with pytest.raises(InputError, match=f"holds {found}"):
        read_manifest(added(write_archive(tmp_path), name, attributes))


def test_a_compression_torchserve_does_not_know(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a") as archive:
        archive.writestr("vocabulary.txt", "words " * 100, zipfile.ZIP_BZIP2)
    with pytest.raises(InputError, match=r"files that are neither stored nor deflated: vocabulary\.txt"):
        read_manifest(mar)


def test_an_encrypted_member(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    with zipfile.ZipFile(mar, "a") as archive:
        archive.getinfo("handler.py").flag_bits |= 1  # as it is written into the central directory
        archive.comment = b"changed"
    with pytest.raises(InputError, match=r"encrypted files: handler\.py"):
        read_manifest(mar)


def test_a_corrupt_member(tmp_path: Path) -> None:
    mar = write_archive(tmp_path)
    damaged = mar.read_bytes().replace(b"def handle", b"def hangle")
    mar.write_bytes(damaged)
    read_manifest(mar)
    with pytest.raises(InputError, match=r"is corrupt: handler\.py"):
        verify_members(mar)
