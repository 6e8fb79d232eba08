"""What a version is registered as: names, aliases and labels, and which of them Vertex AI would refuse.

How it is served is in its serving plan (serving_plan/).
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_torchserve.errors import Problem
from vertex_torchserve.resource_rules.display_names import display_name_problems
from vertex_torchserve.resource_rules.labels import MOST_LABELS, label_problems
from vertex_torchserve.resource_rules.model_ids import model_id_problems
from vertex_torchserve.resource_rules.version_aliases import version_alias_problems
from vertex_torchserve.vertex_ai.model_names import ModelName, model_region_problems
from vertex_torchserve.vertex_ai.place import place_problems, region_problems

_KEY = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")
_ACCOUNT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Of the labels that Vertex AI accepts, registration.py adds one.
_MOST_LABELS = MOST_LABELS - 1


@dataclass(frozen=True)
class ModelUpload:
    """A model version that is to be registered, under the names of `aiplatform.Model.upload`.

    Attributes:
        project: Google Cloud project id.
        location: Vertex AI region, such as `europe-west2`.
        display_name: 1 to 128 characters.
        description: Of the model.
        parent_model: Resource name or id of the model this is a new version of.
        is_default_version: Move the alias `default` here; version 1 always has it.
        version_description: Of this version.
        version_aliases: Other aliases of this version.
        labels: Key -> value, up to 63 of them; registering adds one.
        model_id: The last part of a new model's name; Vertex AI gives it a number when None.
        service_account: E-mail of the account that the container runs as, unless deploying names another.
        encryption_spec_key_name: Resource name of the Cloud KMS key for the model, in its region.
        explanation_spec: `metadata` and `parameters` of the API's `ExplanationSpec`, in its JSON.
    """

    project: str
    location: str
    display_name: str
    description: str | None = None
    parent_model: str | None = None
    is_default_version: bool = False
    version_description: str | None = None
    version_aliases: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    model_id: str | None = None
    service_account: str | None = None
    encryption_spec_key_name: str | None = None
    explanation_spec: Mapping[str, Any] = field(default_factory=dict)

    def form(self) -> dict[str, Any]:
        """`UploadModelRequest` in the API's JSON, without its container and its artifact.

        A field that is not given is not there; `model` and its `labels` always are.
        """
        place = f"projects/{self.project}/locations/{self.location}"
        key = self.encryption_spec_key_name
        model = {
            "displayName": self.display_name,
            "description": self.description,
            "versionDescription": self.version_description,
            "versionAliases": [*self.version_aliases, *(["default"] if self.is_default_version else [])],
            "encryptionSpec": {"kmsKeyName": key} if key else None,
            "explanationSpec": dict(self.explanation_spec),
        }
        request = {
            "parent": place,
            "parentModel": _model_name(self.parent_model, place) if self.parent_model else None,
            "modelId": self.model_id,
            "serviceAccount": self.service_account,
            "model": {**_given(model), "labels": dict(self.labels)},
        }
        return _given(request)


def _model_name(model: str, place: str) -> str:
    """The resource name of a model that is given by id or name, with or without a version."""
    name = model.partition("@")[0]
    return name if "/" in name else f"{place}/models/{name}"


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def upload_problems(upload: ModelUpload) -> list[Problem]:
    """Everything in the plan that Vertex AI or its SDK would refuse, without asking them."""
    return [
        *place_problems(upload.project, upload.location),
        *display_name_problems(upload.display_name),
        *_version_problems(upload),
        *label_problems(upload.labels, _MOST_LABELS),
        *_identity_problems(upload),
        *_explanation_problems(upload),
    ]


def _version_problems(upload: ModelUpload) -> Iterable[Problem]:
    yield from version_alias_problems(upload.version_aliases)
    if not upload.parent_model:
        return
    yield from model_region_problems(upload.parent_model, upload.location, "parent model")
    if ModelName.parse(upload.parent_model) is None:
        yield Problem(
            f"parent model {upload.parent_model!r} is neither a model id nor "
            "projects/PROJECT/locations/LOCATION/models/ID",
            "copy it from the Model Registry",
        )


def _identity_problems(upload: ModelUpload) -> Iterable[Problem]:
    """The model's id, and who and what guards it."""
    if upload.model_id:
        yield from model_id_problems(upload.model_id)
        if upload.parent_model:
            yield Problem(
                f"model_id {upload.model_id!r} is for a new model, and parent_model {upload.parent_model!r} "
                "is given",
                "leave one of them out",
            )
    account, key_name = upload.service_account, upload.encryption_spec_key_name
    if account and not _ACCOUNT.fullmatch(account):
        yield Problem(
            f"service_account {account!r} is not the e-mail of an account",
            "give it as NAME@PROJECT.iam.gserviceaccount.com",
        )
    if not key_name:
        return
    key = _KEY.fullmatch(key_name)
    if key is None:
        yield Problem(
            f"encryption_spec_key_name {key_name!r} is not "
            "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
            "copy it from Cloud KMS",
        )
    else:  # the same region is asked for in EncryptionSpec.kms_key_name
        yield from region_problems("encryption_spec_key_name", key_name, key["location"], upload.location)


def _explanation_problems(upload: ModelUpload) -> Iterable[Problem]:
    if not upload.explanation_spec:
        return
    from google.cloud.aiplatform_v1.types import ExplanationSpec
    from google.protobuf.json_format import ParseError

    try:
        ExplanationSpec.from_json(json.dumps(upload.explanation_spec))
    except (ParseError, TypeError) as error:
        yield Problem(
            f"explanation_spec is not in the API's form: {error}",
            "write `metadata` and `parameters` as ExplanationSpec has them",
        )
