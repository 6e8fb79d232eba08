"""What one request may ask for: its instances together have bounds, and its time has an end."""

import sys
from typing import NamedTuple

from hf_handler.bounds import (
    AUDIO_SAMPLES,
    REQUEST_CHARACTERS,
    REQUEST_IMAGES,
    REQUEST_NEW_TOKENS,
    REQUEST_PIXELS,
    REQUEST_ROWS,
    Bound,
)
from hf_handler.costly import HAND_BACK, MOST_TOKENS, TELL
from hf_handler.schema import TooMuch
from hf_handler.waiting import FOREVER, Waiting


class Wording(NamedTuple):
    """How a request that asks for too much is refused: what it has, what to do, and HTTP's status."""

    unit: str
    fix: str
    status: int = 400


WORDINGS: dict[str, Wording] = {
    REQUEST_ROWS.setting: Wording(
        "rows of work (instances, times their labels or texts; windows of long texts; answers)",
        "send fewer at a time",
    ),
    REQUEST_CHARACTERS.setting: Wording(
        "characters to tokenize (a text counts once for each of its labels)",
        "send shorter texts, or fewer at a time",
    ),
    REQUEST_NEW_TOKENS.setting: Wording(
        "tokens to write (max_new_tokens, times num_beams or num_return_sequences, of all instances)",
        "ask for fewer, or send fewer instances at a time",
    ),
    REQUEST_IMAGES.setting: Wording("images", "send fewer at a time", 413),
    REQUEST_PIXELS.setting: Wording("pixels in its images", "send smaller images, or fewer at a time", 413),
    AUDIO_SAMPLES.setting: Wording(
        "samples of sound (in all channels, and in all parts that the model reads)",
        "send shorter sounds, in one channel at the model's rate, or fewer at a time", 413,
    ),
}  # fmt: skip


class Allowance:
    """What one request has asked for so far, and whether somebody waits for it; its instances share it.

    Args:
        settings: What an operator has set; None: nothing is counted, as for the example answered at load.
        waiting: For the request's answer.
        instances: Of the request; each is a row of work at least.
        when_costly: What to do where the request will take long, as `COSTLY` says.
    """

    __slots__ = ("_asked", "_refusal", "_settings", "_when_costly", "waiting")

    def __init__(
        self,
        settings: object | None,
        waiting: Waiting = FOREVER,
        instances: int = 1,
        when_costly: str | None = None,
    ) -> None:
        self._settings = settings
        self._when_costly = when_costly
        self._asked: dict[str, int] = {REQUEST_ROWS.setting: instances}
        self._refusal: tuple[str, int] | None = None  # of TooMuch: why the request is refused
        self.waiting = waiting

    def check_instances(self) -> None:
        """Make sure, before an instance is read, that there are not too many, and that somebody still waits.

        Raises:
            Refused: There are, or nobody does.
        """
        self.check()
        self.take(REQUEST_ROWS, 0)

    def take(self, bound: Bound, amount: int) -> None:
        """Count what is about to be worked on.

        Args:
            bound: One of those for a whole request.
            amount: How much of it.

        Raises:
            TooMuch: With it the request has more than an operator lets pass.
        """
        if self._settings is None:
            return
        asked = self._asked[bound.setting] = self._asked.get(bound.setting, 0) + amount
        most = getattr(self._settings, bound.setting)
        if asked > most:
            unit, fix, status = WORDINGS[bound.setting]
            self._refusal = (
                f"the request has {asked} {unit}, at most {most} are taken: {fix}; "
                f"an operator can raise handler.{bound.setting}",
                status,
            )
            raise TooMuch(*self._refusal)

    def left(self, bound: Bound) -> int:
        """Return how much of a bound for a whole request can still be taken."""
        if self._settings is None:
            return sys.maxsize
        return int(getattr(self._settings, bound.setting)) - self._asked.get(bound.setting, 0)

    def is_postponed(self) -> bool:
        """Return whether the request will take long, and is to be handed back where it does."""
        return self._when_costly == HAND_BACK and self._is_costly()

    def tells_costly(self) -> bool:
        """Return whether the request takes long, and the server wants to know."""
        return self._when_costly == TELL and self._is_costly()

    def _is_costly(self) -> bool:
        return self._asked.get(REQUEST_NEW_TOKENS.setting, 0) > MOST_TOKENS

    def refusal(self) -> TooMuch | None:
        """Return why the request is refused, when it was found to ask for too much."""
        return None if self._refusal is None else TooMuch(*self._refusal)

    def check(self) -> None:
        """Make sure that an answer is still wanted, before something is done for it.

        Raises:
            TooMuch: The request was found to ask for too much.
            Refused: Nobody waits for the answer.
        """
        refusal = self.refusal()
        if refusal is not None:
            raise refusal
        self.check_time()

    def check_time(self) -> None:
        """Make sure that somebody still waits.

        Raises:
            Refused: Nobody does.
        """
        ended = self.waiting.ended()
        if ended is not None:
            raise ended


UNLIMITED = Allowance(None)
