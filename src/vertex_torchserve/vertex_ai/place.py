"""The project and the region that everything of Vertex AI lies in, and which of them can't be."""

import re
from collections.abc import Iterable

from vertex_torchserve.errors import Problem

# Ids of projects, with a domain of old ones (`example.com:project`), and their numbers.
_PROJECT = re.compile(r"[a-z0-9.:-]+")


def place_problems(project: str, location: str) -> Iterable[Problem]:
    """Why nothing can lie there, without asking Google."""
    if not project:
        yield Problem("no project is given", "give the Google Cloud project id")
    elif not _PROJECT.fullmatch(project):
        yield Problem(
            f"project {project!r} is no project id: lowercase letters, digits and hyphens are accepted",
            "give the id, not the name, as `gcloud projects list` shows it",
        )
    from google.cloud.aiplatform.constants.base import SUPPORTED_REGIONS

    if location not in SUPPORTED_REGIONS:
        yield Problem(
            f"location {location!r} is not a Vertex AI region; accepted: "
            f"{', '.join(sorted(SUPPORTED_REGIONS))}",
            "give one of these regions",
        )


def region_problems(what: str, name: str, region: str | None, location: str) -> Iterable[Problem]:
    """Why a resource can't be used in a location: it lies in another region.

    Args:
        what: What it is, in messages.
        name: As it was given.
        region: Where it lies; None where its name doesn't say.
        location: Where it is to be used.
    """
    if region not in (None, location):
        yield Problem(
            f"{what} {name!r} is in {region}, and location {location!r} is given; both must be the same",
            f"give location {region!r}, or another {what}",
        )
