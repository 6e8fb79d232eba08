"""A container as a command line gives it: the API's `ModelContainerSpec` in JSON, as text or in a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vertex_torchserve.errors import InputError, Problem
from vertex_torchserve.serving_plan.container_spec import ContainerSpec
from vertex_torchserve.serving_plan.probe import api_form
from vertex_torchserve.serving_plan.registered_form import FORM_FIELDS, container_spec_of

_EXAMPLE = '\'{"deploymentTimeout": "1800s"}\''


def container_given(option: str | None) -> ContainerSpec:
    """What `--container-spec` describes; nothing is set without it.

    Args:
        option: JSON with the fields of `ModelContainerSpec`, or a file of it: what `gcloud ai models describe
            --format json` shows as `containerSpec`.

    Raises:
        InputError: It can't be read, is no object, or has fields that the API has not.
    """
    if option is None:
        return ContainerSpec()
    form = json_given("--container-spec", option)
    unknown = sorted(set(api_form(form)) - set(FORM_FIELDS))
    if unknown:
        raise InputError(
            Problem(
                f"--container-spec has no {', '.join(unknown)}; it has {', '.join(FORM_FIELDS)}",
                "correct the names",
            )
        )
    try:
        return container_spec_of(form)
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(
            Problem(
                f"--container-spec is not in the API's form: {error}",
                'write env as [{"name": "A", "value": "1"}], ports as [{"containerPort": 8080}]',
            )
        ) from error


def json_given(name: str, option: str) -> Mapping[str, Any]:
    """The object that an option gives, as JSON or as the path of a file of it.

    Args:
        name: The option, for errors.
        option: Its value.

    Raises:
        InputError: The file can't be read, or it is no JSON object.
    """
    is_text = option.lstrip().startswith("{")
    origin = name if is_text else f"{name} {option}"
    try:
        form = json.loads(option if is_text else Path(option).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            Problem(
                f"{origin} can't be read: {error.strerror}",
                f"give a file of JSON, or JSON such as {_EXAMPLE}",
            )
        ) from error
    except ValueError as error:
        raise InputError(Problem(f"{origin} is not JSON: {error}", f"write it like {_EXAMPLE}")) from error
    if not isinstance(form, dict):
        raise InputError(Problem(f"{origin} is no JSON object", f"write it like {_EXAMPLE}"))
    return form
