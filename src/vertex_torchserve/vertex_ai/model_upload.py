"""What a version is registered as: names, aliases and labels, and which of them Vertex AI would refuse.

How it is served is in its serving plan (serving_plan/).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_torchserve.errors import Problem
from vertex_torchserve.resource_rules.display_names import display_name_problems
from vertex_torchserve.resource_rules.labels import MOST_LABELS, label_problems
from vertex_torchserve.resource_rules.version_aliases import version_alias_problems
from vertex_torchserve.vertex_ai.place import place_problems

_PARENT = re.compile(
    r"(projects/[^/]+/locations/(?P<location>[^/]+)/models/)?[a-z0-9_-]{1,63}(@[a-zA-Z0-9-]+)?"
)
# Of the labels that Vertex AI accepts, registration.py adds one.
_MOST_LABELS = MOST_LABELS - 1


@dataclass(frozen=True)
class ModelUpload:
    """A model version that is to be registered, in the terms of `aiplatform.Model.upload`.

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

    def keyword_arguments(self) -> dict[str, Any]:
        """Arguments for `Model.upload`, in the types the SDK wants.

        Lists and dicts are copies, because the SDK appends to the list of aliases it is given.
        """
        parent = self.parent_model.rpartition("@")[0] or self.parent_model if self.parent_model else None
        return {
            "display_name": self.display_name,
            "description": self.description,
            "parent_model": parent,
            "is_default_version": self.is_default_version,
            "version_description": self.version_description,
            "version_aliases": list(self.version_aliases),
            "labels": dict(self.labels),
        }


def upload_problems(upload: ModelUpload) -> list[Problem]:
    """Everything in the plan that Vertex AI or its SDK would refuse, without asking them."""
    return [
        *place_problems(upload.project, upload.location),
        *display_name_problems(upload.display_name),
        *_version_problems(upload),
        *label_problems(upload.labels, _MOST_LABELS),
    ]


def _version_problems(upload: ModelUpload) -> Iterable[Problem]:
    yield from version_alias_problems(upload.version_aliases)
    if not upload.parent_model:
        return
    parent = _PARENT.fullmatch(upload.parent_model)
    if parent is None:
        yield Problem(
            f"parent model {upload.parent_model!r} is neither a model id nor "
            "projects/PROJECT/locations/LOCATION/models/ID",
            "copy it from the Model Registry",
        )
    elif parent["location"] not in (None, upload.location):
        yield Problem(
            f"parent model {upload.parent_model!r} is in {parent['location']}, the upload in "
            f"{upload.location!r}; a version lies where its model lies",
            f"give location {parent['location']!r}, or a parent model there",
        )
