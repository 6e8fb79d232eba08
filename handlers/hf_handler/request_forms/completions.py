"""completions: the texts of OpenAI's API that are gone on with."""

import itertools
from collections.abc import Mapping
from typing import Any, ClassVar

from hf_handler.request_forms.events import CONTENT_TYPE, END, error_event, event
from hf_handler.request_forms.form import Asked, RequestForm
from hf_handler.request_forms.writing_fields import WRITING_FIELDS, Head, reason_of, usage, writing_parameters
from hf_handler.schema import FLAG, INPUT_TEXT, NULL, WHOLE, Fields, Schema, or_several
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
            parameters["best_of"] = fields["best_of"]
        return Asked({"text": fields["prompt"], "parameters": parameters}, CompletionReply(fields))


class CompletionReply:
    """Makes completions of what was written.

    Args:
        fields: Of the request, checked.
    """

    content_type = CONTENT_TYPE

    def __init__(self, fields: Fields) -> None:
        self._head = Head("cmpl", fields.get("model"))
        self._usage = fields.get("stream_options", {}).get("include_usage", False)
        self._several = isinstance(fields["prompt"], list)
        self._lists = "logprobs" in fields
        self._echo = fields["prompt"] if fields.get("echo") else ""

    def whole(self, prediction: Any, tokens: int) -> Any:
        """Return a completion with the choices for each text in order."""
        records = list(itertools.chain(*prediction)) if self._several else prediction
        choices = [
            {
                "index": index,
                "text": record["generated_text"],
                "logprobs": logged(record) if self._lists else None,
                "finish_reason": reason_of(record),
            }
            for index, record in enumerate(records)
        ]
        return self._head.of("text_completion", choices=choices, usage=usage(records, tokens))

    def first(self) -> str:
        """Return the text itself where it is to be repeated, else an empty chunk."""
        return self._chunk(self._echo if isinstance(self._echo, str) else "")

    def part(self, text: str) -> str:
        """Return a chunk."""
        return self._chunk(text)

    def last(self, prediction: Any, tokens: int) -> str:
        """Return why the text ended, and what it cost where that is asked for."""
        (record,) = prediction
        events = self._chunk("", reason_of(record))
        if self._usage:
            counted = usage(prediction, tokens)
            events += event(self._head.of("text_completion", choices=[], usage=counted))
        return events + END

    def broken(self, status: int, message: str) -> str:
        """Return an event that says so."""
        return error_event(status, message)

    def _chunk(self, text: str, reason: str | None = None) -> str:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
        return event(self._head.of("text_completion", choices=[choice]))


def logged(record: Fields) -> Fields:
    """Return how likely the tokens of a text were, as completions tell it."""
    details = record["details"]
    tokens = details["tokens"]
    lengths = [len(token["text"]) for token in tokens]
    likeliest = details.get("top_tokens")
    return {
        "tokens": [token["text"] for token in tokens],
        "token_logprobs": [token["logprob"] for token in tokens],
        "top_logprobs": likeliest
        and [{other["text"]: other["logprob"] for other in others} for others in likeliest],
        "text_offset": list(itertools.accumulate(lengths, initial=0))[: len(tokens)],
    }
