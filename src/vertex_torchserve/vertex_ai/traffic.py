"""Shares of an endpoint's traffic: whole percentages that add up to 100."""

from collections.abc import Mapping

WHOLE = 100
# In a request to deploy this key means the model that is being deployed (DeployModelRequest.traffic_split).
THIS_MODEL = "0"


def with_share(before: Mapping[str, int], model: str, share: int) -> dict[str, int]:
    """The split with `share` for one model, and the rest for the others in proportion to what they have.

    A model that nobody shares with gets all.

    Args:
        before: Deployed model id -> percentage.
        model: Id of the deployed model, or `THIS_MODEL`.
        share: Its percentage.
    """
    others = {key: part for key, part in before.items() if key != model and part}
    if not others:
        return {model: WHOLE}
    return {**{key: 0 for key in before if key != model}, **_scaled(others, WHOLE - share), model: share}


def without(before: Mapping[str, int], model: str, heir: str | None = None) -> dict[str, int]:
    """The split when a model is gone: the others keep their proportions.

    Args:
        before: Deployed model id -> percentage.
        model: The one that goes.
        heir: Who gets all when no other has traffic.
    """
    others = {key: part for key, part in before.items() if key != model and part}
    if not others:
        return {heir: WHOLE} if heir else {}
    return _scaled(others, WHOLE)


def _scaled(parts: Mapping[str, int], total: int) -> dict[str, int]:
    """Whole numbers in the same proportions with another sum; what rounding leaves goes to the largest."""
    whole = sum(parts.values())
    exact = {key: part * total / whole for key, part in parts.items()}
    scaled = {key: int(value) for key, value in exact.items()}
    for key in sorted(exact, key=lambda key: scaled[key] - exact[key])[: total - sum(scaled.values())]:
        scaled[key] += 1
    return scaled
