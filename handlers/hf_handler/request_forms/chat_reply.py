"""What a chat is answered with: a completion, or the events of one while it is written."""

from dataclasses import dataclass, field
from typing import Any

from hf_handler.request_forms.events import CONTENT_TYPE, END, error_event, event
from hf_handler.request_forms.tool_calls import certain_length, without_calls
from hf_handler.request_forms.tool_choice import ForcedTool
from hf_handler.request_forms.writing_fields import Head, reason_of, usage
from hf_handler.schema import Fields


@dataclass(slots=True)
class _Choice:
    """One of the texts that are sent in parts.

    Attributes:
        text: Written so far.
        sent: How many characters of it have been sent.
        logged: How likely the tokens were that wait to be told of, with the text that is held back.
        told: Of how many tokens it has been told.
    """

    text: str = ""
    sent: int = 0
    logged: list[Fields] = field(default_factory=list)
    told: int = 0


class ChatReply:
    """Makes completions of what was written.

    Args:
        fields: Of the request, checked.
        calls_tools: Whether the model was told of tools.
        forced: The tool that it had to call.
    """

    content_type = CONTENT_TYPE

    def __init__(self, fields: Fields, calls_tools: bool, forced: ForcedTool | None = None) -> None:
        self._head = Head("chatcmpl", fields)
        self._lists = fields.get("logprobs", False)
        self._calls_tools, self._forced = calls_tools, forced
        self._choices = [_Choice() for _ in range(fields.get("n", 1))]

    def whole(self, prediction: Any, tokens: int) -> Any:
        """Return a completion with a choice for each text."""
        choices = []
        for index, record in enumerate(prediction):
            message, reason = self._ended(record)
            choices.append(
                {
                    "index": index,
                    "message": {"role": "assistant", **message},
                    "logprobs": {"content": logged(record["details"])} if self._lists else None,
                    "finish_reason": reason,
                }
            )
        return self._head.of("chat.completion", choices=choices, usage=usage(prediction, tokens))

    def first(self) -> str:
        """Say who speaks."""
        start = {"role": "assistant", "content": ""}
        return "".join(self._chunk(index, start) for index in range(len(self._choices)))

    def part(self, text: str, details: Fields, index: int) -> str:
        """Return a chunk; what may be the call of a tool is held back to the end."""
        choice = self._choices[index]
        choice.text += text
        choice.logged += logged(details) if self._lists else []
        if self._forced is not None:
            return ""
        end = certain_length(choice.text) if self._calls_tools else len(choice.text)
        begin, choice.sent = choice.sent, max(choice.sent, end)
        return self._told(index, {"content": choice.text[begin:end]}) if end > begin else ""

    def last(self, prediction: Any, tokens: int) -> str:
        """Return what was held back, why the texts ended, and what they cost where that is asked for."""
        events = "".join(self._end(index, record) for index, record in enumerate(prediction))
        return events + self._head.cost("chat.completion.chunk", usage(prediction, tokens)) + END

    def broken(self, status: int, message: str) -> str:
        """Return an event that says so."""
        return error_event(status, message)

    def _end(self, index: int, record: Fields) -> str:
        choice = self._choices[index]
        message, reason = self._ended(record)
        calls = [{"index": number, **call} for number, call in enumerate(message.get("tool_calls", ()))]
        held = "" if calls else choice.text[choice.sent :]
        if self._lists:
            choice.logged = logged(record["details"])[choice.told :]
        events = self._told(index, {"content": held}) if held or choice.logged else ""
        events += self._chunk(index, {"tool_calls": calls}) if calls else ""
        return events + self._chunk(index, {}, reason)

    def _ended(self, record: Fields) -> tuple[Fields, str]:
        """Return the message of a record, and why it ended."""
        text, reason = record["generated_text"], reason_of(record)
        if self._forced is not None:
            call, complete = self._forced.call(text)
            return {"content": None, "tool_calls": [call]}, "tool_calls" if complete else reason
        text, calls = without_calls(text) if self._calls_tools else (text, [])
        if calls:
            return {"content": text or None, "tool_calls": calls}, "tool_calls"
        return {"content": text}, reason

    def _told(self, index: int, delta: Fields) -> str:
        """Return a chunk that tells how likely its tokens were."""
        choice = self._choices[index]
        choice.told += len(choice.logged)
        chunk = self._chunk(index, delta, logprobs={"content": choice.logged} if self._lists else None)
        choice.logged = []
        return chunk

    def _chunk(
        self, index: int, delta: Fields, reason: str | None = None, logprobs: Fields | None = None
    ) -> str:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return event(self._head.chunk("chat.completion.chunk", choice))


def logged(details: Fields) -> list[Fields]:
    """Return how likely the tokens of a text were, as chats tell it.

    Args:
        details: Of the text.
    """
    tokens = details.get("tokens", [])
    likeliest = details.get("top_tokens") or [[]] * len(tokens)
    return [
        {**_logged(token), "top_logprobs": [_logged(other) for other in others]}
        for token, others in zip(tokens, likeliest, strict=True)
    ]


def _logged(token: Fields) -> Fields:
    return {"token": token["text"], "logprob": token["logprob"], "bytes": list(token["text"].encode())}
