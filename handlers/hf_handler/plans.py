"""How a model is to write: what items must have in common to be written in one pack."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from hf_handler.items import own_pack


@dataclass(frozen=True, slots=True)
class Plan:
    """How a text is written; the group of an item that a model writes to.

    Attributes:
        options: What `generate` is called with, as sorted pairs of name and value.
        stop: Texts that end what is written.
        seed: What the sampling starts from; None draws from the worker's own generator.
        owner: A number no other item has where it must run alone, so that neighbours change nothing in what
            is drawn for it; else None.
        shapes: Of the tensors that must be equal to be joined, as `shapes_of` gives them; None where all can.
        penalties: Of frequency and of presence.
        likeliest: How many of the likeliest tokens are noted at the place of each that is written; None:
            nothing is noted.
        own_lengths: Whether each item says by itself how many tokens are written for it (`Item.new_tokens`).
    """

    options: tuple[tuple[str, Any], ...]
    stop: tuple[str, ...] = ()
    seed: int | None = None
    owner: int | None = None
    shapes: Hashable = None
    penalties: tuple[float, float] = (0.0, 0.0)
    likeliest: int | None = None
    own_lengths: bool = False

    @classmethod
    def of(
        cls,
        options: Mapping[str, Any],
        *,
        stop: tuple[str, ...] = (),
        seed: int | None = None,
        alone: bool = False,
        shapes: Hashable = None,
        penalties: tuple[float, float] = (0.0, 0.0),
        likeliest: int | None = None,
        own_lengths: bool = False,
    ) -> "Plan":
        """Plan one item; with a seed, or where `alone` says so, it shares its pack with no other."""
        owner = own_pack() if alone or seed is not None else None
        sent = tuple(sorted(options.items()))
        return cls(sent, stop, seed, owner, shapes, penalties, likeliest, own_lengths)
