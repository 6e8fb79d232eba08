"""The fields of OpenAI's API that chats and completions share, and what they are here."""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from hf_handler.request_forms.events import event
from hf_handler.schema import FLAG, INPUT_TEXT, NUMBER, TEXT, Fields, Parameters, Refused, Schema, record
from hf_handler.text.details import COUNTS
from hf_handler.text.generation_parameters import GENERATION

# Those that have no meaning for a model that is served alone, and change no answer.
_WITHOUT_EFFECT: Mapping[str, Schema] = {
    "model": TEXT,
    "user": INPUT_TEXT,
    "store": FLAG,
    "metadata": {"type": "object"},
    "service_tier": TEXT,
    "safety_identifier": TEXT,
    "prompt_cache_key": TEXT,
}
# Those that mean the same here, by another name or by the same.
_NAMES = {
    "max_tokens": "max_new_tokens",
    "max_completion_tokens": "max_new_tokens",
    "n": "num_return_sequences",
    **{name: name for name in ("stop", "seed", "top_p", "frequency_penalty", "presence_penalty")},
    # Not OpenAI's, and common: vLLM's and llama.cpp's clients send them.
    **{name: name for name in ("top_k", "min_p", "repetition_penalty", "min_tokens")},
    "min_tokens": "min_new_tokens",
}
WRITING_FIELDS: Mapping[str, Schema] = {
    **{name: GENERATION[meant] for name, meant in _NAMES.items()},
    "temperature": {**NUMBER, "minimum": 0, "maximum": 1000},
    "stream": FLAG,
    "stream_options": record({}, {"include_usage": FLAG, "include_obfuscation": FLAG}),
    "logit_bias": record({}),
    **_WITHOUT_EFFECT,
}
_REASONS = {"length": "length", "eos_token": "stop", "stop_sequence": "stop"}


def writing_parameters(fields: Fields, likeliest: int | None) -> Parameters:
    """Return the handler's own parameters for a chat or a completion.

    Args:
        fields: Of the request, checked.
        likeliest: How many of the likeliest tokens are asked for at each place; None: no log-probabilities.

    Raises:
        Refused: Two fields say the same, or one means nothing without another.
    """
    if {"max_tokens", "max_completion_tokens"} <= fields.keys():
        raise Refused("max_tokens and max_completion_tokens are the same; send one of them")
    if "stream_options" in fields and not fields.get("stream"):
        raise Refused("stream_options takes stream: true")
    parameters = {meant: fields[name] for name, meant in _NAMES.items() if name in fields}
    temperature = fields.get("temperature")
    if temperature is not None:
        parameters["do_sample"] = temperature > 0
        if temperature > 0:
            parameters["temperature"] = max(temperature, 0.0001)
    if likeliest:
        parameters["top_n_tokens"] = likeliest
    return {
        **parameters,
        "details": COUNTS if likeliest is None else True,
        "stream": fields.get("stream", False),
    }


def reason_of(record: Fields) -> str:
    """Return why a text ended, as OpenAI's API says it."""
    return _REASONS[record["details"]["finish_reason"]]


def usage(records: Sequence[Fields], tokens: int) -> Fields:
    """Return how many tokens were read and written.

    Args:
        records: Of the task's predictions, with details.
        tokens: That were read.
    """
    written = sum(record["details"]["generated_tokens"] for record in records)
    return {"prompt_tokens": tokens, "completion_tokens": written, "total_tokens": tokens + written}


class Head:
    """What every answer of OpenAI's API begins with.

    Args:
        prefix: Of its id.
        fields: Of the request, checked.
    """

    def __init__(self, prefix: str, fields: Fields) -> None:
        self._fields = {
            "id": f"{prefix}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": fields.get("model") or "model",
        }
        self._tells_cost = fields.get("stream_options", {}).get("include_usage", False)

    def of(self, kind: str, **more: Any) -> Fields:
        """Return an answer, or an event of one.

        Args:
            kind: OpenAI's name of it.
            more: Its other fields.
        """
        return {"id": self._fields["id"], "object": kind, **self._fields, **more}

    def chunk(self, kind: str, choice: Fields) -> Fields:
        """Return an event of an answer that is sent while it is written; its cost comes with the last.

        Args:
            kind: OpenAI's name of it.
            choice: Of the text that it is about.
        """
        return self.of(kind, choices=[choice], **({"usage": None} if self._tells_cost else {}))

    def cost(self, kind: str, counted: Fields) -> str:
        """Return the event that tells what an answer cost; empty where that isn't asked for.

        Args:
            kind: OpenAI's name of it.
            counted: Tokens, as `usage` gives them.
        """
        return event(self.of(kind, choices=[], usage=counted)) if self._tells_cost else ""
