"""Move an alias from one version of a model to another, so that it can be moved back.

A version that gets an alias gets a label with the versions that had it before, the last one first, such as
`vertex_torchserve_before_prod: 3_2`. Why there: docs/decisions/0027-promotion.md.
"""

import hashlib
from collections.abc import Sequence

from google.cloud import aiplatform

from vertex_torchserve.vertex_ai.client import connect, explained
from vertex_torchserve.vertex_ai.registered_version import ModelPlace, RegisteredVersion

_PREFIX = "vertex_torchserve_before_"
# Of a label's key, and of its value (resource_rules/labels.py).
_MOST_CHARACTERS = 63
_DIGEST_CHARACTERS = 32


def versions_before(version: RegisteredVersion, alias: str) -> tuple[str, ...]:
    """The versions that had an alias before this one got it, the last one first."""
    return tuple(filter(None, version.labels.get(history_label(alias), "").split("_")))


def history_label(alias: str) -> str:
    """The key of the label for an alias. An alias that no key can hold stands there by its digest."""
    fits = alias == alias.lower() and len(alias) <= _MOST_CHARACTERS - len(_PREFIX)
    return _PREFIX + (alias if fits else hashlib.sha256(alias.encode()).hexdigest()[:_DIGEST_CHARACTERS])


def history_value(before: Sequence[str]) -> str:
    """The label's value: as many of the last versions as it can hold."""
    value = ""
    for version in before:
        longer = f"{value}_{version}" if value else version
        if len(longer) > _MOST_CHARACTERS:
            break
        value = longer
    return value


def labels_of_moves(
    versions: Sequence[RegisteredVersion], aliases: Sequence[str], room: int
) -> dict[str, str]:
    """The labels of a new version that takes aliases from others.

    Args:
        versions: Every version of its model.
        aliases: What the new version gets.
        room: How many labels there may be.
    """
    holders = {alias: version for version in versions for alias in version.aliases}
    labels = {
        history_label(alias): history_value((holder.version_id, *versions_before(holder, alias)))
        for alias in aliases
        if (holder := holders.get(alias))
    }
    return dict(list(labels.items())[: max(0, room)])


def move_alias(place: ModelPlace, target: RegisteredVersion, alias: str, before: Sequence[str]) -> None:
    """Write down who had the alias, then move it: killed between the two, the alias is where it was.

    Args:
        place: Where the model is.
        target: The version that gets it.
        alias: The alias; another version that has it loses it.
        before: The versions that `rollback` goes back to, the next one first.

    Raises:
        RegistryError: When Vertex AI refuses or fails.
    """
    labels = {key: value for key, value in target.labels.items() if key != history_label(alias)}
    if before:
        labels[history_label(alias)] = history_value(before)
    with explained(f"move the alias {alias!r} to {target.resource_name}"):
        connect(place.project, place.location)
        client = aiplatform.Model(target.model_resource_name).api_client
        if labels != target.labels:
            # With a version in its name an update changes that version's labels alone (UpdateModelRequest).
            client.update_model(
                model=aiplatform.gapic.Model(name=target.resource_name, labels=labels),
                update_mask={"paths": ["labels"]},
            )
        client.merge_version_aliases(name=target.resource_name, version_aliases=[alias])
