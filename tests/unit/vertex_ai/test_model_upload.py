"""What the SDK is handed, in the types it wants."""

from typing import Any

import pytest

from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems


def plan(**fields: Any) -> ModelUpload:
    return ModelUpload("my-project", "us-central1", "demo", **fields)


def test_what_is_not_given_is_not_sent() -> None:
    assert plan().keyword_arguments() == {
        "display_name": "demo",
        "description": None,
        "parent_model": None,
        "is_default_version": False,
        "version_description": None,
        "version_aliases": [],
        "labels": {},
    }


def test_lists_and_dicts_sent_are_not_the_callers() -> None:
    """The SDK appends `default` to the list of aliases it is given."""
    aliases, labels = ["golden"], {"team": "nlp"}
    sent = plan(version_aliases=aliases, labels=labels).keyword_arguments()
    sent["version_aliases"].append("default")
    sent["labels"]["other"] = "x"
    assert (aliases, labels) == (["golden"], {"team": "nlp"})
    assert plan(version_aliases=("golden",)).keyword_arguments()["version_aliases"] == ["golden"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("123", "123"),
        ("123@2", "123"),
        ("projects/p/locations/us-central1/models/123", "projects/p/locations/us-central1/models/123"),
        ("projects/p/locations/us-central1/models/123@golden", "projects/p/locations/us-central1/models/123"),
    ],
)
def test_a_parent_is_a_model_without_a_version(given: str, sent: str) -> None:
    upload = plan(parent_model=given)
    assert upload_problems(upload) == []
    assert upload.keyword_arguments()["parent_model"] == sent
