"""chatCompletions: the chat of OpenAI's API, which Vertex AI's clients send to endpoints too."""

from collections.abc import Mapping
from typing import Any, ClassVar

from hf_handler.request_forms.chat_reply import ChatReply
from hf_handler.request_forms.form import Asked, RequestForm
from hf_handler.request_forms.messages import CHAT_MESSAGES, TOOLS, own_messages
from hf_handler.request_forms.tool_choice import TOOL_CHOICE, forced_tool
from hf_handler.request_forms.writing_fields import WRITING_FIELDS, writing_parameters
from hf_handler.schema import FLAG, WHOLE, Fields, Refused, Schema, record
from hf_handler.text.details import MOST_LIKELIEST
from hf_handler.text.stop_strings import stop_strings


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
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": FLAG,
        "response_format": record(
            {"type": {"type": "string", "enum": ["text"]}}, {"json_schema": {"type": "object"}}
        ),
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
        parameters: dict[str, Any] = {
            **writing_parameters(fields, likeliest),
            "return_full_text": False,
            "continue_final_message": fields.get("continue_final_message", False),
        }
        forced = forced_tool(fields.get("tool_choice"), tools)
        if tools and fields.get("tool_choice") != "none":
            parameters["tools"] = tools
        messages = own_messages(fields["messages"], self._takes_pictures)
        if forced is not None:
            if parameters["continue_final_message"]:
                raise Refused("tool_choice of one tool begins a message: send no continue_final_message")
            messages.append({"role": "assistant", "content": forced.opening})
            parameters["continue_final_message"] = True
            parameters["stop"] = [*stop_strings(parameters), forced.closing]
        reply = ChatReply(fields, "tools" in parameters, forced)
        return Asked({"messages": messages, "parameters": parameters}, reply)
