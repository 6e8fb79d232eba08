"""How a model is named in the registry: by its resource name, or by its id alone."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from vertex_torchserve.errors import Problem
from vertex_torchserve.vertex_ai.place import region_problems

_NAME = re.compile(
    r"(projects/(?P<project>[^/@]+)/locations/(?P<location>[^/@]+)/models/)?"
    r"(?P<model_id>[a-z0-9_-]{1,63})(@(?P<version>[a-zA-Z0-9-]+))?"
)


class ModelName(NamedTuple):
    """A name in its parts.

    Attributes:
        project: Id or number; None when the id alone is given.
        location: Vertex AI region; None likewise.
        model_id: The last part.
        version: Id or alias of a version; None when none is given.
    """

    project: str | None
    location: str | None
    model_id: str
    version: str | None

    @classmethod
    def parse(cls, text: str) -> "ModelName | None":
        """The parts of `projects/PROJECT/locations/LOCATION/models/ID` or `ID`; `@VERSION` may follow.

        Args:
            text: What a user gives; None comes back when it is neither.
        """
        found = _NAME.fullmatch(text)
        return cls(**found.groupdict()) if found else None


def model_region_problems(model: str, location: str, what: str = "model") -> Iterable[Problem]:
    """Why a model can't be used in a location: its resource name says that it lies in another region.

    Args:
        model: Resource name, id or display name.
        location: Vertex AI region.
        what: What it is called in messages.
    """
    name = ModelName.parse(model)
    return region_problems(what, model, name.location if name else None, location)
