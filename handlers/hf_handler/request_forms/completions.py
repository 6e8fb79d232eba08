"""completions: the texts of OpenAI's API that are gone on with."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hf_handler.request_forms.events import CONTENT_TYPE, END, error_event, event
from hf_handler.request_forms.form import Asked, RequestForm
from hf_handler.request_forms.writing_fields import WRITING_FIELDS, Head, reason_of, usage, writing_parameters
from hf_handler.schema import FLAG, INPUT_TEXT, NULL, WHOLE, Fields, Refused, Schema, or_several
from hf_handler.text.details import DETAILS_PARAMETERS

# OpenAI's default.
USUAL_LENGTH = 16


class Completions(RequestForm):
    """Texts that are gone on with (https://platform.openai.com/docs/api-reference/completions)."""

    name = "completions"
    mark = "prompt"
    fields: ClassVar[Mapping[str, Schema]] = {
        "prompt": or_several(INPUT_TEXT),
        **WRITING_FIELDS,
        "logprobs": {**WHOLE, "maximum": 5},
        "best_of": DETAILS_PARAMETERS["best_of"],
        "echo": FLAG,
        "suffix": NULL,
    }

    def asked(self, fields: Fields) -> Asked:
        """Return the texts, and what makes completions of what is written to them."""
        parameters = {
            "max_new_tokens": USUAL_LENGTH,
            **writing_parameters(fields, fields.get("logprobs")),
            "return_full_text": fields.get("echo", False),
        }
        if fields.get("best_of", 1) > 1:
            if fields.get("stream"):
                raise Refused("best_of can't be streamed: the best is known at the end; send stream: false")
            parameters["best_of"] = fields["best_of"]
        return Asked({"text": fields["prompt"], "parameters": parameters}, CompletionReply(fields))


@dataclass(slots=True)
class _Choice:
    """One of the texts that are sent in parts.

    Attributes:
        told: Of how many tokens it has been told how likely they were.
        characters: Of those tokens.
    """

    told: int = 0
    characters: int = 0


class CompletionReply:
    """Makes completions of what was written.

    Args:
        fields: Of the request, checked.
    """

    content_type = CONTENT_TYPE

    def __init__(self, fields: Fields) -> None:
        self._head = Head("cmpl", fields)
        self._several = isinstance(fields["prompt"], list)
        self._lists = "logprobs" in fields
        self._echo = fields["prompt"] if fields.get("echo") else ""
        self._choices = [_Choice() for _ in range(fields.get("n", 1))]

    def whole(self, prediction: Any, tokens: int) -> Any:
        """Return a completion with the choices for each text in order."""
        records = list(itertools.chain(*prediction)) if self._several else prediction
        choices = [
            {
                "index": index,
                "text": record["generated_text"],
                "logprobs": logged(record["details"]) if self._lists else None,
                "finish_reason": reason_of(record),
            }
            for index, record in enumerate(records)
        ]
        return self._head.of("text_completion", choices=choices, usage=usage(records, tokens))

    def first(self) -> str:
        """Return the text itself where it is to be repeated, else an empty chunk."""
        echo = self._echo if isinstance(self._echo, str) else self._echo[0]
        return "".join(self._chunk(index, echo) for index in range(len(self._choices)))

    def part(self, text: str, details: Fields, index: int) -> str:
        """Return a chunk."""
        return self._chunk(index, text, details=details)

    def last(self, prediction: Any, tokens: int) -> str:
        """Return why the texts ended, and what they cost where that is asked for."""
        events = ""
        for index, record in enumerate(prediction):
            told = self._choices[index].told
            rest = {name: record["details"].get(name, [])[told:] for name in ("tokens", "top_tokens")}
            events += self._chunk(index, "", reason_of(record), rest)
        return events + self._head.cost("text_completion", usage(prediction, tokens)) + END

    def broken(self, status: int, message: str) -> str:
        """Return an event that says so."""
        return error_event(status, message)

    def _chunk(self, index: int, text: str, reason: str | None = None, details: Fields | None = None) -> str:
        logprobs = None
        if self._lists and details and details["tokens"]:
            choice = self._choices[index]
            logprobs = logged(details, choice.characters)
            choice.told += len(details["tokens"])
            choice.characters += sum(map(len, logprobs["tokens"]))
        said = {"index": index, "text": text, "logprobs": logprobs, "finish_reason": reason}
        return event(self._head.chunk("text_completion", said))


def logged(details: Fields, start: int = 0) -> Fields:
    """Return how likely the tokens of a text were, as completions tell it.

    Args:
        details: Of the text, or of a part of it.
        start: How many characters are before them.
    """
    tokens = details["tokens"]
    lengths = [len(token["text"]) for token in tokens]
    likeliest = details.get("top_tokens")
    return {
        "tokens": [token["text"] for token in tokens],
        "token_logprobs": [token["logprob"] for token in tokens],
        "top_logprobs": likeliest
        and [{other["text"]: other["logprob"] for other in others} for others in likeliest],
        "text_offset": list(itertools.accumulate(lengths, initial=start))[: len(tokens)],
    }
