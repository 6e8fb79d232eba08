"""Tasks that ask a model about one sound."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy
import transformers

from hf_handler.failures import each
from hf_handler.items import Item, Query
from hf_handler.media.files import FILES
from hf_handler.media.sounds import read_sound, silence
from hf_handler.task import Task

# The part of an interface that says: one sound.
A_SOUND: dict[str, Any] = {
    "fields": {"audio": FILES},
    "forms": (("audio",),),
    "media": ("audio",),
    "several": ("audio",),
    "example": {"b64": base64.b64encode(silence()).decode()},
}


class AudioTask(Task):
    """A task that asks a model about one sound; only sounds of equal length run together.

    Most of these models have no mask: zeros that fill a shorter sound up would change its answer.
    """

    budget = 3_000  # hundredths of a second of sound
    budget_on_gpu = 48_000

    def load(self) -> None:
        """Set `extractor`; subclasses set `model`."""
        self.extractor = self.archive.processor(transformers.AutoFeatureExtractor)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Open each sound, and make items of it."""
        return each(queries, self.items)

    def items(self, query: Query) -> list[Item]:
        """Return the items of one query.

        Raises:
            Refused: The file is no sound, too long, or doesn't go with the parameters.
        """
        raise NotImplementedError

    def sound(self, query: Query) -> numpy.ndarray:
        """Return a query's sound: samples (one dimension) at the rate the model takes.

        Raises:
            Refused: The file is no sound, or too long.
        """
        content, most = query.fields["audio"], self.archive.settings.max_audio_seconds
        return read_sound(content, self.extractor.sampling_rate, most, query.allowance)
