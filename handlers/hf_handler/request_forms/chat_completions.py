"""chatCompletions: the chat of OpenAI's API, which Vertex AI's clients send to endpoints too."""

from collections.abc import Mapping
from typing import Any, ClassVar

from hf_handler.request_forms.events import CONTENT_TYPE, END, error_event, event
from hf_handler.request_forms.form import Asked, RequestForm
from hf_handler.request_forms.messages import CHAT_MESSAGES, TOOLS, own_messages
from hf_handler.request_forms.tool_calls import certain_length, without_calls
from hf_handler.request_forms.writing_fields import WRITING_FIELDS, Head, reason_of, usage, writing_parameters
from hf_handler.schema import FLAG, WHOLE, Fields, Refused, Schema, record
from hf_handler.text.details import MOST_LIKELIEST


class ChatCompletions(RequestForm):
    """A conversation, answered with its next message (https://platform.openai.com/docs/api-reference/chat).

    Args:
        takes_pictures: Whether the model reads pictures in messages.
    """

    name = "chatCompletions"
    mark = "messages"
    fields: ClassVar[Mapping[str, Schema]] = {
        "messages": CHAT_MESSAGES,
        **WRITING_FIELDS,
        "logprobs": FLAG,
        "top_logprobs": {**WHOLE, "maximum": MOST_LIKELIEST},
        "tools": TOOLS,
        "tool_choice": {"type": "string", "enum": ["none", "auto"]},
        "parallel_tool_calls": FLAG,
        "response_format": record({"type": {"type": "string", "enum": ["text"]}}),
        "continue_final_message": FLAG,
    }

    def __init__(self, takes_pictures: bool = False) -> None:
        self._takes_pictures = takes_pictures

    def asked(self, fields: Fields) -> Asked:
        """Return the conversation, and what makes a completion of its answer."""
        likeliest = fields.get("top_logprobs", 0) if fields.get("logprobs") else None
        if likeliest is None and fields.get("top_logprobs"):
            raise Refused("top_logprobs takes logprobs: true")
        tools = fields.get("tools") or []
        parameters = {
            **writing_parameters(fields, likeliest),
            "return_full_text": False,
            "continue_final_message": fields.get("continue_final_message", False),
        }
        if tools and fields.get("tool_choice") != "none":
            parameters["tools"] = tools
        messages = own_messages(fields["messages"], self._takes_pictures)
        return Asked(
            {"messages": messages, "parameters": parameters}, ChatReply(fields, "tools" in parameters)
        )


class ChatReply:
    """Makes completions of what was written.

    Args:
        fields: Of the request, checked.
        calls_tools: Whether the model was told of tools.
    """

    content_type = CONTENT_TYPE

    def __init__(self, fields: Fields, calls_tools: bool) -> None:
        self._head = Head("chatcmpl", fields.get("model"))
        self._usage = fields.get("stream_options", {}).get("include_usage", False)
        self._lists = fields.get("logprobs", False)
        self._calls_tools = calls_tools
        self._text, self._sent = "", 0

    def whole(self, prediction: Any, tokens: int) -> Any:
        """Return a completion with a choice for each text."""
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", **self._message(record)},
                "logprobs": {"content": logged(record)} if self._lists else None,
                "finish_reason": self._reason(record),
            }
            for index, record in enumerate(prediction)
        ]
        return self._head.of("chat.completion", choices=choices, usage=usage(prediction, tokens))

    def first(self) -> str:
        """Say who speaks."""
        return self._chunk({"role": "assistant", "content": ""})

    def part(self, text: str) -> str:
        """Return a chunk; what may be the call of a tool is held back to the end."""
        self._text += text
        end = certain_length(self._text) if self._calls_tools else len(self._text)
        begin, self._sent = self._sent, max(self._sent, end)
        return self._chunk({"content": self._text[begin:end]}) if end > begin else ""

    def last(self, prediction: Any, tokens: int) -> str:
        """Return what was held back, why the text ended, and what it cost where that is asked for."""
        (record,) = prediction
        message = self._message(record)
        calls = [{"index": index, **call} for index, call in enumerate(message.get("tool_calls", ()))]
        held = "" if calls else self._text[self._sent :]
        events = self._chunk({"content": held}) if held else ""
        events += self._chunk({"tool_calls": calls}) if calls else ""
        events += self._chunk({}, self._reason(record))
        if self._usage:
            counted = usage(prediction, tokens)
            events += event(self._head.of("chat.completion.chunk", choices=[], usage=counted))
        return events + END

    def broken(self, status: int, message: str) -> str:
        """Return an event that says so."""
        return error_event(status, message)

    def _message(self, record: Fields) -> Fields:
        text, calls = without_calls(record["generated_text"]) if self._calls_tools else (
            record["generated_text"], []
        )  # fmt: skip
        return {"content": text or None, "tool_calls": calls} if calls else {"content": text}

    def _reason(self, record: Fields) -> str:
        return "tool_calls" if "tool_calls" in self._message(record) else reason_of(record)

    def _chunk(self, delta: Fields, reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event(self._head.of("chat.completion.chunk", choices=[choice]))


def logged(record: Fields) -> list[Fields]:
    """Return how likely the tokens of a text were, as chats tell it."""
    tokens = record["details"]["tokens"]
    likeliest = record["details"].get("top_tokens") or [[]] * len(tokens)
    return [
        {**_logged(token), "top_logprobs": [_logged(other) for other in others]}
        for token, others in zip(tokens, likeliest, strict=True)
    ]


def _logged(token: Fields) -> Fields:
    return {"token": token["text"], "logprob": token["logprob"], "bytes": list(token["text"].encode())}
