"""Read cloudbuild.yaml: substitutions, the order of its steps, and what neither schema nor proto sees."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# What Cloud Build defines itself for a build that no trigger started (the Build message of its API).
BUILT_IN = {"PROJECT_ID", "PROJECT_NUMBER", "LOCATION", "BUILD_ID"}
# `waitFor: ['-']`: start at once.
AT_ONCE = "-"
_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|([A-Z_][A-Z0-9_]*))")

Config = dict[str, Any]
Step = dict[str, Any]


def read(path: Path) -> Config:
    """The build configuration as it is written."""
    config: Config = yaml.safe_load(path.read_text(encoding="utf-8"))
    return config


def problems(config: Config) -> list[str]:
    """What would only come to light when the build is submitted, or never.

    Steps without an id or with another's, `waitFor` of a step that does not come before, substitutions that
    are referred to and not defined, or defined and not referred to (MUST_MATCH refuses both).
    """
    found = []
    seen: set[str] = set()
    for number, step in enumerate(config["steps"]):
        name = step.get("id")
        if name is None or name in seen:
            found.append(f"step {number}: id {name!r} is missing or another step's")
        for wanted in step.get("waitFor", []):
            if wanted != AT_ONCE and wanted not in seen:
                found.append(f"step {name!r} waits for {wanted!r}, which is no step before it")
        seen.add(name)
    defined = set(config.get("substitutions", {}))
    used = set(_references(config))
    found += [f"substitution {name} is not defined" for name in sorted(used - defined - BUILT_IN)]
    found += [f"substitution {name} is not used" for name in sorted(defined - used)]
    return found


def expanded(config: Config, values: Mapping[str, str]) -> Config:
    """The configuration with its substitutions filled in.

    Args:
        config: Without problems.
        values: The built-in ones by name, and those that replace a default of the file.

    Raises:
        KeyError: When one is defined nowhere, or `values` has one that the file does not.
    """
    if unknown := set(values) - set(config["substitutions"]) - BUILT_IN:
        raise KeyError(
            f"{sorted(unknown)} are no substitutions of the file: {sorted(config['substitutions'])}"
        )
    known = {**config["substitutions"], **values}
    filled: Config = _filled({key: value for key, value in config.items() if key != "substitutions"}, known)
    return filled


def without(steps: list[Step], left_out: set[str]) -> tuple[list[Step], list[str]]:
    """The steps that can run when some are left out, and the ids of all that can't.

    Raises:
        KeyError: When there is no such step.
    """
    if unknown := left_out - {step["id"] for step in steps}:
        raise KeyError(f"no steps {sorted(unknown)}; there are {[step['id'] for step in steps]}")
    gone: list[str] = []
    for step in steps:  # a step only ever waits for earlier ones
        if step["id"] in left_out or set(step["waitFor"]) & set(gone):
            gone.append(step["id"])
    return [step for step in steps if step["id"] not in gone], gone


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield from (match[1] or match[2] for match in _REFERENCE.finditer(part) if match[0] != "$$")
    elif isinstance(part, dict):
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _filled(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        # dynamicSubstitutions: a value may name others.
        return _REFERENCE.sub(
            lambda match: "$" if match[0] == "$$" else _filled(values[match[1] or match[2]], values), part
        )
    if isinstance(part, dict):
        return {key: _filled(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, values) for value in part]
    return part
