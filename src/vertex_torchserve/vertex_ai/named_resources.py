"""Find a model version or an endpoint by what a user calls it: resource name, id or display name."""

import re
from typing import Any

from google.api_core import exceptions
from google.cloud import aiplatform

from vertex_torchserve.errors import InputError, Problem

_ID = re.compile(r"[a-z0-9_-]{1,63}")
_MOST_NAMED = 10


def find_model(named: str) -> aiplatform.Model:
    """The model, in the version that is asked for or in its default version.

    Args:
        named: `projects/.../models/ID`, an id or a display name; `@VERSION` or `@ALIAS` may follow.

    Raises:
        InputError: There is no such model or version, or several models have that display name.
    """
    name, _, version = named.partition("@")
    found = _find(aiplatform.Model, name, "model", "register it with `vertex-torchserve upload`")
    if not version:
        return found
    try:
        return aiplatform.Model(f"{found.resource_name}@{version}")
    except (exceptions.NotFound, exceptions.InvalidArgument):
        there = [each for one in versions_of(found) for each in (one.version_id, *one.version_aliases)]
        raise InputError(
            Problem(
                f"model {name!r} has no version or alias {version!r}; it has {', '.join(there)}",
                "give one of these, or leave out `@` for the default version",
            )
        ) from None


def find_endpoint(named: str) -> aiplatform.Endpoint:
    """The endpoint.

    Args:
        named: `projects/.../endpoints/ID`, an id or a display name.

    Raises:
        InputError: There is none, or several have that display name.
    """
    return _find(aiplatform.Endpoint, named, "endpoint", "make one: `vertex-torchserve deploy MODEL`")


def endpoints_called(display_name: str) -> list[aiplatform.Endpoint]:
    """Every endpoint with a display name."""
    return list(aiplatform.Endpoint.list(filter=_filter(display_name)))


def versions_of(model: aiplatform.Model) -> list[Any]:
    """Every version of a model, as the API shows them, from the oldest on."""
    found = model.api_client.list_model_versions(name=model.resource_name)
    return sorted(found, key=lambda version: version.version_create_time)


def _find(kind: Any, name: str, noun: str, way_out: str) -> Any:
    fix = f"correct the name, project and location, or {way_out}"
    if "/" in name or _ID.fullmatch(name):
        try:
            found = kind(name)
            found.gca_resource  # noqa: B018 (an endpoint is fetched when it is looked at)
            return found
        except exceptions.NotFound:
            if "/" in name:
                raise InputError(Problem(f"there is no {noun} {name}", fix)) from None
        except ValueError as error:
            raise InputError(Problem(f"{noun} {name!r}: {error}", f"give an id of a {noun}")) from None
    named = list(kind.list(filter=_filter(name)))
    place = (
        f"{aiplatform.initializer.global_config.project} in {aiplatform.initializer.global_config.location}"
    )
    if not named:
        others = sorted({each.display_name for each in kind.list()})
        there = ", ".join(others[:_MOST_NAMED]) + (", ..." if len(others) > _MOST_NAMED else "")
        raise InputError(
            Problem(
                f"project {place} has no {noun} with the id or display name {name!r}; "
                + (f"it has {there}" if others else f"it has no {noun} at all"),
                fix,
            )
        )
    if len(named) > 1:
        names = ", ".join(each.resource_name for each in named[:_MOST_NAMED])
        raise InputError(
            Problem(f"{len(named)} {noun}s are called {name!r}: {names}", "give one of these resource names")
        )
    return named[0]


def _filter(display_name: str) -> str:
    escaped = display_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'display_name="{escaped}"'
