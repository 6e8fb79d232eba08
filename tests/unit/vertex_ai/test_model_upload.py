"""What the registry is sent."""

from typing import Any

import pytest

from vertex_torchserve.vertex_ai.model_upload import ModelUpload, upload_problems


def plan(**fields: Any) -> ModelUpload:
    return ModelUpload("my-project", "us-central1", "demo", **fields)


def test_what_is_not_given_is_not_sent() -> None:
    assert plan().form() == {
        "parent": "projects/my-project/locations/us-central1",
        "model": {"displayName": "demo", "labels": {}},
    }


def test_everything_that_can_be_given() -> None:
    given = plan(
        description="of the model",
        version_description="of the version",
        version_aliases=("golden",),
        is_default_version=True,
        labels={"team": "nlp"},
        model_id="my-model",
        service_account="runner@my-project.iam.gserviceaccount.com",
        encryption_spec_key_name="projects/p/locations/us-central1/keyRings/r/cryptoKeys/k",
        explanation_spec={"parameters": {"sampledShapleyAttribution": {"pathCount": 10.0}}},
    )
    assert upload_problems(given) == []
    assert given.form() == {
        "parent": "projects/my-project/locations/us-central1",
        "modelId": "my-model",
        "serviceAccount": "runner@my-project.iam.gserviceaccount.com",
        "model": {
            "displayName": "demo",
            "description": "of the model",
            "versionDescription": "of the version",
            "versionAliases": ["golden", "default"],
            "encryptionSpec": {"kmsKeyName": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"},
            "explanationSpec": {"parameters": {"sampledShapleyAttribution": {"pathCount": 10.0}}},
            "labels": {"team": "nlp"},
        },
    }


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model_id": "1st"}, "model_id '1st': up to 63 of [a-z0-9_-]"),
        ({"model_id": "a", "parent_model": "1"}, "model_id 'a' is for a new model, and parent_model '1'"),
        ({"service_account": "runner"}, "service_account 'runner' is not the e-mail"),
        ({"encryption_spec_key_name": "key"}, "'key' is not projects/PROJECT/locations/LOCATION/keyRings"),
        (
            {"encryption_spec_key_name": "projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"},
            "is in us-east1, and location 'us-central1' is given",
        ),
        ({"explanation_spec": {"meta": {}}}, "explanation_spec is not in the API's form"),
    ],
)
def test_refused_before_anything_is_asked(fields: dict[str, Any], said: str) -> None:
    (problem,) = upload_problems(plan(**fields))
    assert said in problem.message


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("123", "projects/my-project/locations/us-central1/models/123"),
        ("123@2", "projects/my-project/locations/us-central1/models/123"),
        ("projects/p/locations/us-central1/models/123", "projects/p/locations/us-central1/models/123"),
        ("projects/p/locations/us-central1/models/123@golden", "projects/p/locations/us-central1/models/123"),
    ],
)
def test_a_parent_is_a_model_without_a_version(given: str, sent: str) -> None:
    upload = plan(parent_model=given)
    assert upload_problems(upload) == []
    assert upload.form()["parentModel"] == sent
