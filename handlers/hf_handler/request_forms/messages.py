"""Messages of OpenAI's API, and what they are in the handler's own form."""

import json
from typing import Any

from hf_handler.bounds import MESSAGES
from hf_handler.schema import TEXT, Fields, Refused, Schema, list_of

_MESSAGE: Schema = {
    "type": "object",
    "properties": {"role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]}},
    "required": ["role"],
    "additionalProperties": True,
}
CHAT_MESSAGES: Schema = {**list_of(_MESSAGE), "minItems": 1, "maxItems": MESSAGES}
_FUNCTION: Schema = {
    "type": "object",
    "properties": {"name": TEXT},
    "required": ["name"],
    "additionalProperties": True,
}
TOOLS: Schema = {
    **list_of(
        {
            "type": "object",
            "properties": {"type": {"type": "string", "enum": ["function"]}, "function": _FUNCTION},
            "required": ["type", "function"],
            "additionalProperties": True,
        }
    ),
    "maxItems": MESSAGES,
}


def own_messages(messages: list[Fields], takes_pictures: bool) -> list[Fields]:
    """Return messages as chat templates take them.

    Args:
        messages: As a client sends them; each has a known role.
        takes_pictures: Whether a message may have parts that are no text.

    Raises:
        Refused: Their roles are out of order, or one has no content.
    """
    answered = False
    own = []
    for position, message in enumerate(messages):
        place = f"messages[{position}]"
        role = message["role"]
        if role == "tool" and not answered:
            raise Refused(f"{place}.role is out of order: a tool answers an assistant's tool_calls before it")
        calls = message.get("tool_calls")
        answered = bool(calls) or (answered and role == "tool")
        content = message.get("content")
        if content is None and not calls:
            raise Refused(f"{place}.content is missing: a text, or a list of parts")
        one = {**message, "role": "system" if role == "developer" else role, "content": content}
        if calls:
            one["tool_calls"] = _own_calls(calls, place)
        if not takes_pictures:
            one["content"] = _as_text(content, place)
        elif content is None:
            one["content"] = ""
        own.append(one)
    return own


def _as_text(content: Any, place: str) -> str:
    """Return the text of a message, of its parts where it has several."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Refused(f"{place}.content must be a text or a list of parts")
    texts = []
    for number, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise Refused(f"{place}.content[{number}] must be a part of the type text: this model reads text")
        texts.append(part["text"])
    return "\n".join(texts)


def _own_calls(calls: Any, place: str) -> list[Fields]:
    """Return an assistant's calls with their arguments as objects, as chat templates print them."""
    if not isinstance(calls, list) or not all(
        isinstance(call, dict) and isinstance(call.get("function"), dict) for call in calls
    ):
        raise Refused(f"{place}.tool_calls must be a list of objects, each with a function")
    own = []
    for call in calls:
        arguments = call["function"].get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except (ValueError, RecursionError):
                raise Refused(f"{place}.tool_calls: arguments must be JSON") from None
        own.append({**call, "function": {**call["function"], "arguments": arguments}})
    return own
