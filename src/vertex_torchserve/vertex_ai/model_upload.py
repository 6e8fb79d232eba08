"""What is registered: the fields of `Model.upload` that are set, and which values Vertex AI would refuse."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vertex_torchserve.errors import Problem
from vertex_torchserve.resource_rules.display_names import display_name_problems
from vertex_torchserve.resource_rules.labels import MOST_LABELS, label_problems
from vertex_torchserve.resource_rules.version_aliases import version_alias_problems
from vertex_torchserve.vertex_ai.probes import ExecProbe

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
        serving_container_image_uri: Image in Artifact Registry.
        serving_container_predict_route: `/predictions/<model name>`; None leaves it to the image.
        serving_container_health_route: `/ping`; None leaves it to the image.
        serving_container_ports: The first is used; empty leaves it to Vertex AI (8080).
        serving_container_environment_variables: Name -> value; numbers become strings.
        serving_container_command: Replaces the image's ENTRYPOINT when not empty.
        serving_container_args: Replaces the image's CMD when not empty.
        startup_probe: Must succeed once before the container's health is asked for; None for no such probe.
        health_probe: Run instead of asking the health route; None to ask the health route.
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
    serving_container_image_uri: str
    serving_container_predict_route: str | None = None
    serving_container_health_route: str | None = None
    serving_container_ports: Sequence[Any] = ()
    serving_container_environment_variables: Mapping[str, Any] = field(default_factory=dict)
    serving_container_command: Sequence[Any] = ()
    serving_container_args: Sequence[Any] = ()
    startup_probe: ExecProbe | None = None
    health_probe: ExecProbe | None = None
    description: str | None = None
    parent_model: str | None = None
    is_default_version: bool = False
    version_description: str | None = None
    version_aliases: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def keyword_arguments(self) -> dict[str, Any]:
        """Arguments for `Model.upload`, in the types the SDK wants.

        Lists and dicts are copies, because the SDK appends to the list of aliases it is given. Whole numbers
        that KFP delivered as floats, as it does in lists and structs, are whole numbers again.
        """
        environment = self.serving_container_environment_variables
        parent = self.parent_model.rpartition("@")[0] or self.parent_model if self.parent_model else None
        probes = {"startup": self.startup_probe, "health": self.health_probe}
        return {
            "display_name": self.display_name,
            "serving_container_image_uri": self.serving_container_image_uri,
            "serving_container_predict_route": self.serving_container_predict_route,
            "serving_container_health_route": self.serving_container_health_route,
            "serving_container_ports": [int(port) for port in self.serving_container_ports] or None,
            "serving_container_environment_variables": {
                name: as_text(value) for name, value in environment.items()
            }
            or None,
            "serving_container_command": [as_text(part) for part in self.serving_container_command] or None,
            "serving_container_args": [as_text(part) for part in self.serving_container_args] or None,
            "description": self.description,
            "parent_model": parent,
            "is_default_version": self.is_default_version,
            "version_description": self.version_description,
            "version_aliases": list(self.version_aliases),
            "labels": dict(self.labels),
            **{
                name: value
                for kind, probe in probes.items()
                if probe is not None
                for name, value in probe.keyword_arguments(kind).items()
            },
        }


def as_text(value: Any) -> str:
    """A value of a KFP list or struct as a container gets it: 3.0 is `3`, True is `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def upload_problems(upload: ModelUpload) -> list[Problem]:
    """Everything in the plan that Vertex AI or its SDK would refuse, without asking them."""
    return [
        *_place_problems(upload),
        *display_name_problems(upload.display_name),
        *_container_problems(upload),
        *_version_problems(upload),
        *label_problems(upload.labels, _MOST_LABELS),
    ]


def _place_problems(upload: ModelUpload) -> Iterable[Problem]:
    if not upload.project:
        yield Problem("no project is given", "give the Google Cloud project id")
    from google.cloud.aiplatform.constants.base import SUPPORTED_REGIONS

    if upload.location not in SUPPORTED_REGIONS:
        yield Problem(
            f"location {upload.location!r} is not a Vertex AI region; accepted: "
            f"{', '.join(sorted(SUPPORTED_REGIONS))}",
            "give one of these regions",
        )


def _container_problems(upload: ModelUpload) -> Iterable[Problem]:
    if not upload.serving_container_image_uri:
        yield Problem("no serving container image is given", "give the URI of an image in Artifact Registry")
    for port in upload.serving_container_ports:
        whole = isinstance(port, float) and port.is_integer()
        whole = whole or (isinstance(port, int) and not isinstance(port, bool))
        if not whole or not 0 < port < 65536:
            yield Problem(
                f"serving container port {port!r} is not a port; whole numbers from 1 to 65535 are accepted",
                "give a number such as 8080",
            )
    for name, value in upload.serving_container_environment_variables.items():
        if not name or "=" in name or name.startswith("AIP_"):
            yield Problem(
                f"environment variable {name!r} can't be set: names hold no `=`, and `AIP_` is Vertex AI's",
                "choose another name",
            )
        if not isinstance(value, str | int | float):
            yield Problem(
                f"environment variable {name} is a {type(value).__name__}; a string or a number is accepted",
                "write the value as a string",
            )


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
