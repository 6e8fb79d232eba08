"""Stop strings: texts at which a model ends what it writes, and which are no part of it."""

from collections.abc import Mapping, Sequence
from typing import Any


def stop_strings(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts of the parameter `stop`, which is one text or a list of them."""
    stop = parameters.get("stop") or ()
    return (stop,) if isinstance(stop, str) else tuple(stop)


def without_stop(text: str, stop: Sequence[str]) -> str:
    """Cut a text before the first stop string in it: the token that completed it may hold more."""
    found = [position for word in stop if (position := text.find(word)) >= 0]
    return text[: min(found)] if found else text
