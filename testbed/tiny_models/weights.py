"""Seeded weights: large enough that answers differ and no two scores are near each other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's random numbers from a seed; the caller's own go on afterwards as if nothing had been drawn."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def spread(model: Any, *heads: str, by: float = 3.0) -> Any:
    """Multiply the token embeddings and the named heads.

    Then tokens differ from each other more than their positions do, and scores by tenths, not thousandths.
    """
    import torch

    with torch.no_grad():
        for weights in [model.get_input_embeddings().weight, *(model.get_parameter(name) for name in heads)]:
            weights.mul_(by)
    return model


def varied(model: Any, norm: str, by: float = 1.0, rare: range = range(0)) -> Any:
    """Draw the last norm's weights anew, so that generation moves on, and make the end of text likelier.

    Where the output layer is the token embeddings, random layers would otherwise repeat the last token.
    `rare` tokens come up less often: the single bytes of a vocabulary, which seldom make a character.
    """
    import torch

    with torch.no_grad():
        model.get_parameter(norm).copy_(torch.randn_like(model.get_parameter(norm)) * by)
        rows = model.get_output_embeddings().weight
        rows[model.config.eos_token_id].mul_(2.0)
        rows[list(rare)] *= 0.2
    return model


def save(folder: Path, seed: int, build: Callable[[], Any], *processors: Any) -> None:
    """Write a seeded model and its tokenizer or processors, as a user's own `save_pretrained` would."""
    with seeded(seed):
        model = build().eval()
    model.save_pretrained(folder)
    for processor in processors:
        processor.save_pretrained(folder)
