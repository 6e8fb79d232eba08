"""Hostile and odd archives, given to the real entrypoint: exit code 2, and one clear message."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from testbed.archives import write_archive
from vertex_torchserve.serving.ports import free_ports

CONFIG = {"configFile": "model-config.yaml"}


def config(text: str | bytes) -> tuple[Mapping[str, str], Mapping[str, str | bytes]]:
    return CONFIG, {"model-config.yaml": text}


def golden(text: str) -> tuple[Mapping[str, str], Mapping[str, str | bytes]]:
    return {}, {"golden-request.json": text}


def member(name: str) -> tuple[Mapping[str, str], Mapping[str, str | bytes]]:
    return {}, {name: "x"}


def lists_of_aliases(levels: int) -> str:
    """A short text that stands for 9 ** levels values."""
    above = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(["a0: &a0 [1]", *above])


def mappings_of_aliases(levels: int) -> str:
    """The same with names; few enough values for Python, and too many aliases for TorchServe's parser."""
    above = [
        f"a{level}: &a{level} {{{', '.join(f'k{n}: *a{level - 1}' for n in range(9))}}}"
        for level in range(1, levels)
    ]
    return "\n".join(["a0: &a0 {k: 1}", *above])


CASES: dict[str, tuple[tuple[Mapping[str, str], Mapping[str, str | bytes]], str]] = {
    "long path": (member("a/" * 2500 + "b"), "holds names of more than 1,024 bytes: a/a/"),
    "config folder": (member("MAR-INF/model-config.yaml/x"), "holds folders in place of "),
    "golden folder": (member("golden-request.json/x"), "holds folders in place of golden-request.json"),
    "model name": (({"modelName": "m" * 100_000}, {}), "100,000 characters; accepted are letters"),
    "date": (
        config("a: 2001-99-99"),
        "model-config.yaml holds '2001-99-99' in line 1, which is no timestamp",
    ),
    "float": (config("a: !!float x"), "model-config.yaml holds 'x' in line 1, which is no float"),
    "empty int": (config('a: !!int ""'), "model-config.yaml holds '' in line 1, which is no int"),
    "digits": (config("a: " + "1" * 5000), "model-config.yaml holds a number of 5,000 digits (1111"),
    "deep yaml": (config("a: " + "[" * 5000), "model-config.yaml nests more than 50 lists and objects"),
    "yaml for TorchServe": (config("a: " + "[" * 50 + "]" * 50), "nests more than 50 lists and objects"),
    "escape": (config('a: "\\UFFFFFFFF"'), "model-config.yaml is not YAML: "),
    "workers": (
        config("minWorkers: 99999999999\nmaxWorkers: 1"),
        "model-config.yaml: minWorkers is 99999999999; 1 to 1024 is accepted",
    ),
    "lists of aliases": (
        config(lists_of_aliases(12)),
        "model-config.yaml holds more than 50,000 values, each alias",
    ),
    "mappings of aliases": (
        config(mappings_of_aliases(9)),
        "model-config.yaml holds more than 50,000 values, each alias",
    ),
    "itself": (
        config("a: &a [*a]"),
        "model-config.yaml holds an alias of a list or mapping that it stands in",
    ),
    "long config": (config("a: " + "x" * (1 << 20)), "model-config.yaml has more than 1,048,576 bytes"),
    "golden number": (
        golden('{"instances": [1], "predictions": [1%s]}' % ("0" * 399)),
        "golden-request.json holds a number of 400 digits (1000",
    ),
    "golden float": (golden('{"instances": [1e400]}'), "golden-request.json holds the number 1e400; at most"),
    "deep golden": (
        golden(f'{{"instances": [{"[" * 900}1{"]" * 900}]}}'),
        "golden-request.json nests more than 100 lists and objects",
    ),
}
MANIFESTS = {
    "deep": ('{"model": ' + "[" * 100_000, "MAR-INF/MANIFEST.json is not a manifest with "),
    "a name of null": (
        '{"model": {"modelName": null, "handler": "handler.py"}}',
        "it holds None as `model.modelName`, which must be a text",
    ),
    "a handler of null": (
        '{"model": {"modelName": "m", "handler": null}}',
        "it holds None as `model.handler`, which must be a text",
    ),
    "a number": (
        '{"model": {"modelName": "m", "handler": "handler.py"}, "x": 1%s}' % ("0" * 5000),
        "it holds a number of 5,001 digits",
    ),
}


def log_of_refusal(folder: Path) -> list[dict[str, str]]:
    """The entries that the entrypoint logs before it ends, which it must do with 2."""
    http, management, metrics = free_ports(3)
    environment = {
        **os.environ,
        "AIP_STORAGE_URI": str(folder),
        "AIP_HTTP_PORT": str(http),
        "VTS_MANAGEMENT_PORT": str(management),
        "VTS_METRICS_PORT": str(metrics),
        "VTS_LOG_FORMAT": "json",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "vertex_torchserve.serving.entrypoint"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert ended.stderr == ""
    return [json.loads(line) for line in ended.stdout.splitlines()]


def assert_one_refusal(folder: Path, message: str) -> None:
    entries = log_of_refusal(folder)
    errors = [entry["message"] for entry in entries if entry["severity"] == "ERROR"]
    assert len(errors) == 1
    assert errors[0].startswith(f"{folder}/model.mar") or errors[0].startswith("golden-request.json")
    assert message in errors[0]
    assert "\n  fix: " in errors[0]
    assert "Traceback" not in errors[0]
    assert len(errors[0]) < 2000


@pytest.mark.parametrize("case", CASES)
def test_one_message_and_exit_code_2(case: str, tmp_path: Path) -> None:
    (manifest, files), message = CASES[case]
    write_archive(tmp_path, files=files, **manifest)
    assert_one_refusal(tmp_path, message)


def test_a_member_without_a_name(tmp_path: Path) -> None:
    nameless = zipfile.ZipInfo("x")
    nameless.filename = ""
    with zipfile.ZipFile(write_archive(tmp_path), "a") as archive:
        archive.writestr(nameless, "x")
    assert_one_refusal(tmp_path, "holds names that name no file: ''")


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_is_none(case: str, tmp_path: Path) -> None:
    text, message = MANIFESTS[case]
    with zipfile.ZipFile(tmp_path / "model.mar", "w") as archive:
        archive.writestr("MAR-INF/MANIFEST.json", text)
        archive.writestr("handler.py", "")
    assert_one_refusal(tmp_path, message)
