"""Display names of models, endpoints and batch prediction jobs.

The API's types say of a model's and an endpoint's `display_name` that it is required, "up to 128 characters
long and can consist of any UTF-8 characters" (google/cloud/aiplatform_v1/types/model.py, endpoint.py). The
SDK counts characters too (`validate_display_name` in google/cloud/aiplatform/utils); no source counts bytes.
The types give a job's name no length; the SDK gives it the same.

https://cloud.google.com/vertex-ai/docs/general/resource-naming says 128 characters as well, but only letters,
digits, dashes and underscores. That is advice: the SDK's own default names have spaces and colons.
"""

from collections.abc import Iterator

from vertex_torchserve.errors import Problem

_MOST_CHARACTERS = 128


def display_name_problems(name: object) -> Iterator[Problem]:
    """Why Vertex AI would refuse a display name: it is no string, empty, or longer than 128 characters."""
    if not isinstance(name, str):
        yield Problem(f"display name {name!r} is not a string", "give a text as display name")
    elif not 0 < len(name) <= _MOST_CHARACTERS:
        yield Problem(
            f"display name {name!r} has {len(name)} characters; 1 to {_MOST_CHARACTERS} are accepted",
            "give a display name of that length",
        )
