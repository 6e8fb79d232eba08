"""Ways to run an encoder tried with the same rows: whether they agree, and which is faster."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

Batch = Mapping[str, torch.Tensor]
Model = Callable[..., Any]

# The largest difference between outputs, in units of the largest of torch's, or of 1 where that is more.
MOST_DIFFERENCE = 1e-4
# What onnxruntime must be faster by, over a short text and a pack (the mean of both factors), to be taken; in
# each of them it may be no slower than this. Less can't be told from noise.
LEAST_GAIN, LEAST_GAIN_OF_EACH = 1.05, 0.9
# What a short text must gain by the threads of idle workers: they are taken from a request that may come.
LEAST_GAIN_OF_THREADS = 1.15
SECONDS = 1.5  # for a model that is slow, or a machine that is busy
# Runs of so many seconds differ little by what else the machine does: fewer of them tell, one of each where a
# way is so many times as fast as the other.
LONG_RUN = 0.05
CLEAR_GAIN = 1.4


def difference(model: Model, rival: Model, batches: Sequence[Batch]) -> float:
    """Return the largest difference between the outputs of two models, as `MOST_DIFFERENCE` counts it.

    Outputs that are no tensors, such as a decoder's cache, aren't compared.

    Args:
        model: The one that is right.
        rival: The other, whose outputs are compared.
        batches: Rows of tokens; what stands in the place of padding isn't compared.
    """
    largest = 0.0
    with torch.inference_mode():
        for batch in batches:
            right, other = model(**batch), rival(**batch)
            for name in other:
                if not isinstance(other[name], torch.Tensor):
                    continue
                one, two = right[name].float(), other[name].float()
                if one.shape[:2] == batch["attention_mask"].shape:
                    kept = batch["attention_mask"].bool()
                    one, two = one[kept], two[kept]
                scale = max(1.0, one.abs().max().item())
                apart = (one - two).abs().max().item() / scale
                largest = max(largest, apart if apart == apart else float("inf"))  # noqa: PLR0124 (NaN)
    return largest


class Timed:
    """A way to run a model that remembers how long each run took.

    Args:
        model: The way.

    Attributes:
        took: Seconds of each run.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.took: list[float] = []

    def __call__(self, **batch: torch.Tensor) -> Any:
        """Run the model."""
        started = time.perf_counter()
        output = self._model(**batch)
        self.took.append(time.perf_counter() - started)
        return output


def gain(model: Timed, rival: Timed, batch: Batch) -> float:
    """Return how many times as fast the rival runs a batch: of the shortest runs, taken by turns.

    On a machine at rest a few runs tell that. Where others use the cores too, most runs wait for one: they go
    on until the shortest of each has come again, which noise does not.

    Args:
        model: One way; runs of this batch that it has made already count.
        rival: The other.
        batch: Rows of tokens.
    """
    deadline = time.perf_counter() + SECONDS
    with torch.inference_mode():
        while not (has_settled(model.took) and has_settled(rival.took)) and not is_clear(
            model.took, rival.took
        ):
            model(**batch)
            rival(**batch)
            if time.perf_counter() > deadline:
                break
    return min(model.took) / min(rival.took)


def has_settled(took: Sequence[float]) -> bool:
    """Whether three of five runs, or two of three long ones, were within a twentieth of the shortest.

    Args:
        took: Seconds of each run; more than that many are held against the same count.
    """
    least, alike = (3, 2) if min(took, default=0.0) >= LONG_RUN else (5, 3)
    return len(took) >= least and sorted(took)[alike - 1] <= 1.05 * min(took)


def is_clear(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether long runs, one of each at least, leave no doubt which is faster.

    Args:
        one: Seconds of each run.
        other: Of the other way.
    """
    times = sorted(min(took, default=0.0) for took in (one, other))
    return times[0] >= LONG_RUN and times[1] >= CLEAR_GAIN * times[0]


def decision(model: Model, rival: Model, short: Batch, pack: Batch) -> dict[str, Any]:
    """Decide which of two models of one encoder is used.

    Args:
        model: By torch.
        rival: By onnxruntime.
        short: One short text.
        pack: Many rows of different lengths.

    Returns:
        `onnxruntime`, whether it is taken, and `why` in words.
    """
    apart = difference(model, rival, [short, pack])
    if apart > MOST_DIFFERENCE:
        return {
            "onnxruntime": False,
            "why": f"its outputs differ from torch's by {apart:.1e}, more than {MOST_DIFFERENCE:.0e}",
        }
    gains = [gain(Timed(model), Timed(rival), batch) for batch in (short, pack)]
    taken = (gains[0] * gains[1]) ** 0.5 >= LEAST_GAIN and min(gains) >= LEAST_GAIN_OF_EACH
    rows, tokens = pack["input_ids"].shape
    return {
        "onnxruntime": taken,
        "why": f"onnxruntime takes one short text {gains[0]:.2f} times as fast as torch, "
        f"{rows} rows of {tokens} tokens {gains[1]:.2f} times",
    }


def thread_decision(model: Model, short: Batch, own: int, most: int) -> dict[str, Any]:
    """Decide whether one short text is worth the threads of idle workers.

    Args:
        model: The one that is used.
        short: One short text.
        own: The threads of a worker.
        most: Those of all workers.

    Returns:
        `lent`, whether they are used, and `why` in words. They aren't where the answer has other last digits
        with them: a text must not be answered by turns this way and that.
    """
    alone, together = (Timed(partial(_with_threads, model, threads)) for threads in (own, most))
    if difference(alone, together, [short]) > 0:
        lent, why = False, f"the answers of {own} and {most} threads differ in their last digits"
    else:
        times = gain(alone, together, short)
        lent = times >= LEAST_GAIN_OF_THREADS
        why = f"one short text takes {most} threads {times:.2f} times as fast as {own}"
    torch.set_num_threads(own)
    return {"lent": lent, "why": why}


def _with_threads(model: Model, threads: int, **batch: torch.Tensor) -> Any:
    torch.set_num_threads(threads)
    return model(**batch)
