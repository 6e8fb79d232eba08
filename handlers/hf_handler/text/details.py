"""How a text came to its end, and how likely its tokens were: text-generation-inference's details."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from hf_handler.schema import COUNT, FLAG, NULL, SCORE, TEXT, WHOLE, Fields, Schema, list_of, record
from hf_handler.text.token_log import Noted

# Tokens before one that decide how it is written: whether it begins with a space, or ends a character.
_BEFORE = 6
COUNTS = "counts"
MOST_LIKELIEST = 20

# With `details: counts` only how it ended and how long it is; with true how likely each token was, too.
DETAILS_PARAMETERS: dict[str, Schema] = {
    "details": {"anyOf": [FLAG, {"type": "string", "enum": [COUNTS]}]},
    "top_n_tokens": {**WHOLE, "maximum": MOST_LIKELIEST},
    "best_of": {**COUNT, "maximum": 32},
}
_NUMBER_OR_NULL: Schema = {"anyOf": [SCORE, NULL]}
_TOKEN: Schema = record(
    {"id": WHOLE, "text": TEXT, "logprob": _NUMBER_OR_NULL, "special": FLAG},
)
_COUNTED: dict[str, Schema] = {
    "finish_reason": {"type": "string", "enum": ["length", "eos_token", "stop_sequence"]},
    "generated_tokens": WHOLE,
    "prompt_tokens": WHOLE,
    "seed": {"anyOf": [WHOLE, NULL]},
}
_LISTED: dict[str, Schema] = {
    "prefill": list_of(_TOKEN),
    "tokens": list_of(_TOKEN),
    "top_tokens": list_of(list_of(_TOKEN)),
}
_OTHER: Schema = record({"generated_text": TEXT, **_COUNTED}, _LISTED)
DETAILS: Schema = record(_COUNTED, {**_LISTED, "best_of_sequences": list_of(_OTHER)})


class Ending(NamedTuple):
    """How a text ended.

    Attributes:
        tokens: Its own, with the one that ended it, without what pads it.
        reason: `length`, `eos_token` or `stop_sequence`.
    """

    tokens: list[int]
    reason: str


def ending_of(tokens: Sequence[int], ends: Collection[int], padding: int | None, stopped: bool) -> Ending:
    """Return how a sequence ended that may be padded.

    Args:
        tokens: That were written.
        ends: Tokens that end a text.
        padding: The token that it is padded with, which may be one of those.
        stopped: Whether there is a stop string in it.
    """
    own = list(tokens)
    if stopped:
        while own and own[-1] == padding:
            own.pop()
        return Ending(own, "stop_sequence")
    end = next((place for place, token in enumerate(own) if token in ends), None)
    return Ending(own, "length") if end is None else Ending(own[: end + 1], "eos_token")


def mean_log_probability(noted: Sequence[Noted]) -> float:
    """Return by what the best of several texts is chosen; longer ones have no disadvantage."""
    return sum(token.log_probability for token in noted) / max(1, len(noted))


def token_details(
    tokenizer: Any, tokens: Sequence[int], noted: Sequence[Noted], likeliest: int, since: int = 0
) -> Fields:
    """Return the tokens of a text, and the likeliest at the place of each.

    Args:
        tokenizer: Of transformers.
        tokens: Of the text.
        noted: Of each of them.
        likeliest: How many of the likeliest are told; 0: no list of them.
        since: The first token that is told.
    """
    special = frozenset(tokenizer.all_special_ids)

    def told(token: int, text: str, log_probability: float) -> Fields:
        return {"id": token, "text": text, "logprob": log_probability, "special": token in special}

    found: Fields = {"prefill": [], "tokens": []}
    if likeliest:
        found["top_tokens"] = []
    for place in range(since, min(len(tokens), len(noted))):
        token, note = tokens[place], noted[place]
        before = tokens[max(0, place - _BEFORE) : place]
        choices = [token, *(other for other, _ in note.likeliest)] if likeliest else [token]
        text, *texts = _texts_behind(tokenizer, before, choices)
        found["tokens"].append(told(token, text, note.log_probability))
        if likeliest:
            rows = zip(note.likeliest, texts, strict=True)
            found["top_tokens"].append([told(other, words, value) for (other, value), words in rows])
    return found


def _texts_behind(tokenizer: Any, before: Sequence[int], choices: Sequence[int]) -> Iterator[str]:
    """Yield what each of some tokens adds to the text of those before it."""
    start = len(tokenizer.decode(before))
    for choice in choices:
        text: str = tokenizer.decode([*before, choice])
        yield text[start:]
