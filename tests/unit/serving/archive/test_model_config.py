"""What an archive's model-config.yaml asks for, and what TorchServe is given in its place."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.archives import write_archive
from vertex_torchserve.errors import InputError
from vertex_torchserve.serving.archive.model_config import ModelConfig, parse_model_config, read_model_config
from vertex_torchserve.serving.archive.source import LocalArchive
from vertex_torchserve.serving.archive.unpacking import unpack_archive
from vertex_torchserve.serving.machine.sizing import Sizing
from vertex_torchserve.serving.settings import ServingSettings
from vertex_torchserve.serving.torchserve.model_config_file import write_model_config

SETTINGS = dataclasses.replace(ServingSettings.from_environment({}), request_timeout_seconds=100)
SIZING = Sizing(
    workers=2, threads=1, batch_size=16, max_batch_delay_ms=1, netty_threads=4, heap_bytes=1 << 29
)
DECIDED = {
    "minWorkers": 2,
    "maxWorkers": 2,
    "batchSize": 16,
    "maxBatchDelay": 1,
    "responseTimeout": 260,  # twice the request's, and a minute
    "startupTimeout": 3600,
}


def test_asynchronous_workers_get_batches_of_one_whatever_the_archive_asks_for() -> None:
    config = parse_model_config(b"asyncCommunication: true\nbatchSize: 8\n", "here")
    assert config.completed(dict(DECIDED, batchSize=1))["batchSize"] == 1


@pytest.mark.parametrize("value", ["json", "1", "[none]"])
def test_an_envelope_that_is_none_of_ours(value: str) -> None:
    assert parse_model_config(b"envelope: none\n", "here").envelope == "none"
    with pytest.raises(InputError, match=r"here: envelope is .*; instances and none are accepted"):
        parse_model_config(f"envelope: {value}\n".encode(), "here")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("minWorkers: 2\nmaxWorkers: 3\nbatchSize: 8\nmaxBatchDelay: 20\n", (2, 8, 20)),
        ("minWorkers: 2\n", (None, None, None)),
        ("minWorkers: 3\nmaxWorkers: 2\n", (None, None, None)),
        ("batchSize: '8'\nmaxBatchDelay: 0\n", (None, None, None)),
        ("minWorkers: true\nmaxWorkers: true\nbatchSize: 1.5\n", (None, None, None)),
        ("handler:\n  threshold: 0.5\n", (None, None, None)),
        # TorchServe's asynchronous workers can't take a batch of two.
        ("asyncCommunication: true\nbatchSize: 8\n", (None, 1, None)),
    ],
)
def test_only_what_torchserve_would_heed(text: str, asked: tuple[int | None, int | None, int | None]) -> None:
    config = parse_model_config(text.encode(), "model-config.yaml")
    assert (config.workers, config.batch_size, config.max_batch_delay_ms) == asked


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- 1\n", r"holds \[1\]"),
        ("{}\n1: one\n", "is not YAML"),
        ("a: [", "is not YAML"),
        ("1: one\n", r"holds names that are no text: \[1\]"),
        ("a: " + "[" * 50 + "]" * 50, "nests more than 50 lists and objects in each other"),
        ("a: &a {b: *a}", "holds an alias of a list or mapping that it stands in itself"),
        ("a: &a [1, 1]\nb: [" + "*a, " * 25_000 + "]", "holds more than 50,000 values"),
        (
            "a: &a " + "x" * 1000 + "\nb: [" + "*a, " * 1100 + "]",
            "holds more than 1,048,576 characters of text",
        ),
        ("# " + "x" * (1 << 20), "has more than 1,048,576 bytes"),
    ],
)
def test_a_file_that_would_end_torchserve(text: str, found: str) -> None:
    with pytest.raises(InputError, match=f"model-config.yaml {found}"):
        parse_model_config(text.encode(), "model-config.yaml")


@pytest.mark.parametrize(
    ("key", "accepted"),
    [
        ("minWorkers", "1024"),
        ("maxWorkers", "1024"),
        ("batchSize", "2147483647"),
        ("jobQueueSize", "2147483647"),
    ],
)
def test_a_count_that_torchserve_can_not_hold(key: str, accepted: str) -> None:
    parse_model_config(f"{key}: {accepted}".encode(), "model-config.yaml")
    with pytest.raises(InputError) as caught:
        parse_model_config(f"{key}: 99999999999".encode(), "model-config.yaml")
    assert caught.value.message == f"model-config.yaml: {key} is 99999999999; 1 to {accepted} is accepted"


def test_all_that_torchserve_s_parser_takes_is_accepted() -> None:
    deepest = "a: " + "[" * 49 + "]" * 49
    assert parse_model_config(deepest.encode(), "model-config.yaml").written({}).startswith("a:")


def test_torchserve_sees_no_aliases() -> None:
    """It drops a file with more than 50 aliases of collections."""
    text = "a: &a {b: [1]}\n" + "".join(f"k{number}: *a\n" for number in range(60))
    config = parse_model_config(text.encode(), "model-config.yaml")
    written = config.written({})
    assert "*" not in written
    assert yaml.safe_load(written) == {"a": {"b": [1]}, **{f"k{number}": {"b": [1]} for number in range(60)}}


def test_a_text_that_is_too_long_once_it_is_written_for_torchserve() -> None:
    config = ModelConfig({"a": "\0" * 1_600_000}, "c.yaml")
    with pytest.raises(InputError, match=r"c\.yaml takes 3,2\d\d,\d\d\d characters"):
        config.written({})


def effective(
    root: Path, text: str | None = None, runtime: str = "python", **manifest: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What TorchServe reads, and the manifest that names it."""
    files = {"requirements.txt": "", "conf/model.yaml": text or "unnamed: 1\n"}
    named = {**manifest, **({"configFile": "conf/model.yaml"} if text else {})}
    mar = write_archive(root, files=files, runtime=runtime, **named)
    model = unpack_archive(LocalArchive(mar), root / "work" / "model")
    config = write_model_config(model, read_model_config(model), SETTINGS, SIZING)
    written = json.loads((model.path / "MAR-INF" / "MANIFEST.json").read_text())
    assert model.path / written["model"]["configFile"] == config
    assert (model.path / "conf" / "model.yaml").read_text() == files["conf/model.yaml"]
    return yaml.safe_load(config.read_text()), written


def test_an_archive_without_one_gets_all_that_was_decided(tmp_path: Path) -> None:
    config, manifest = effective(tmp_path, modelVersion="2.0")
    assert config == DECIDED
    assert manifest == {
        "runtime": "python",
        "model": {
            "modelName": "model",
            "modelVersion": "2.0",
            "handler": "handler.py",
            "configFile": "MAR-INF/model-config.yaml",
        },
    }


def test_the_archive_s_own_keys_come_first_and_all_reach_the_handler(tmp_path: Path) -> None:
    config, _ = effective(
        tmp_path,
        "minWorkers: 1\nmaxWorkers: 4\nresponseTimeout: 7\n"
        "handler: {größe: [1, 0.5, null, on]}\nday: 2026-01-31",
    )
    own = yaml.safe_load("{minWorkers: 1, maxWorkers: 4, responseTimeout: 7, day: 2026-01-31}")
    assert config == {**DECIDED, **own, "handler": {"größe": [1, 0.5, None, True]}}


def test_what_torchserve_would_not_heed_is_replaced(tmp_path: Path) -> None:
    config, _ = effective(tmp_path, "minWorkers: 3\nbatchSize: many\nresponseTimeout: '30'\n")
    assert config == DECIDED


@pytest.mark.parametrize(
    ("text", "expected"), [(None, True), ("useVenv: false\n", False), ("useVenv: 'no'\n", True)]
)
def test_requirements_go_into_an_environment_of_their_own(
    tmp_path: Path, text: str | None, expected: bool
) -> None:
    config, _ = effective(tmp_path, text, requirementsFile="requirements.txt")
    assert config == {**DECIDED, "useVenv": expected}


def test_python3_is_the_python_that_has_torch(tmp_path: Path) -> None:
    _, manifest = effective(tmp_path, runtime="python3")
    assert manifest["runtime"] == "python"
