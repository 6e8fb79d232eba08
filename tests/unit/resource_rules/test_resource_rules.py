"""The limits of names and labels, on both sides: what an upload checks and what the emulator refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from vertex_torchserve.emulator.rest import rules
from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems

Refuses = Callable[[str, Any], bool]


def emulator_refuses(field: str, value: Any) -> bool:
    checks = {"labels": rules.labels, "display_name": rules.display_name, "version_aliases": rules.aliases}
    return bool(list(checks[field](value)))


def upload_refuses(field: str, value: Any) -> bool:
    fields = {
        "project": "my-project",
        "location": "us-central1",
        "display_name": "demo",
        field: value,
    }
    return bool(upload_problems(ModelUpload(**fields)))


@pytest.fixture(params=[emulator_refuses, upload_refuses])
def refuses(request: pytest.FixtureRequest) -> Refuses:
    checker: Refuses = request.param
    return checker


ACCEPTED = [
    ("labels", {}),
    ("labels", {"k" * 63: "v" * 63}),
    ("labels", {"k": ""}),
    ("labels", {"1a": "1"}),
    ("labels", {"größe": "ß" * 63}),  # 126 bytes
    ("labels", {"語" * 42: "語" * 42}),  # 126 bytes
    ("labels", {"a_-": "_-"}),
    ("display_name", "n"),
    ("display_name", "n" * 128),
    ("display_name", "語" * 128),  # 384 bytes
    ("display_name", "My model: 1"),
    ("version_aliases", ["ab"]),
    ("version_aliases", ["a" * 128]),
    ("version_aliases", ["aB9", "v1-0"]),
]

REFUSED = [
    ("labels", {"k" * 64: ""}),
    ("labels", {"k": "v" * 64}),
    ("labels", {"k": "語" * 43}),  # 129 bytes
    ("labels", {"語" * 43: ""}),
    ("labels", {"k": "𐐨" * 32}),  # 32 characters, 128 bytes
    ("labels", {"": ""}),
    ("labels", {"_a": ""}),
    ("labels", {"-a": ""}),
    ("labels", {"Team": ""}),
    ("labels", {"k": "V"}),
    ("labels", {"k": "ǅ"}),  # neither upper nor lower case
    ("labels", {"k": "a b"}),
    ("labels", {"k": "a.b"}),
    ("labels", {"k": 1}),
    ("display_name", ""),
    ("display_name", "n" * 129),
    ("display_name", 1),
    ("version_aliases", ["a"]),
    ("version_aliases", ["a" * 129]),
    ("version_aliases", ["v1.0"]),
    ("version_aliases", ["v_1"]),
    ("version_aliases", ["1a"]),
    ("version_aliases", ["end-"]),
    ("version_aliases", ["endS"]),
    ("version_aliases", [1]),
]


@pytest.mark.parametrize(("field", "value"), ACCEPTED)
def test_accepted_by_both(refuses: Refuses, field: str, value: Any) -> None:
    assert not refuses(field, value)


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_refused_by_both(refuses: Refuses, field: str, value: Any) -> None:
    assert refuses(field, value)


@pytest.mark.parametrize(("check", "most"), [(emulator_refuses, 64), (upload_refuses, 63)])
def test_a_resource_has_64_labels_and_an_upload_adds_one(check: Refuses, most: int) -> None:
    labels = {f"k{number}": "" for number in range(most)}
    assert not check("labels", labels)
    assert check("labels", {**labels, "more": ""})
