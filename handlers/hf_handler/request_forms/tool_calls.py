"""Calls of tools in the text that a model writes."""

import json
import re
import uuid

from hf_handler.schema import Fields

# As the templates of Hermes, Qwen and many others tell a model to write them.
OPENING = "<tool_call>"
_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|$)", re.DOTALL)


def without_calls(text: str) -> tuple[str, list[Fields]]:
    """Return a text without the calls in it, and the calls as OpenAI's API has them.

    What is no JSON with a name stays text.
    """
    calls = []
    rest, end = "", 0
    for match in _CALL.finditer(text):
        call = _call_of(match[1])
        if call is not None:
            rest += text[end : match.start()]
            end = match.end()
            calls.append(call)
    return (rest + text[end:]).strip() if calls else text, calls


def certain_length(text: str) -> int:
    """Return how much of a text that is still being written is certainly before its first call."""
    found = text.find(OPENING)
    if found >= 0:
        return found
    begun = next((n for n in range(len(OPENING) - 1, 0, -1) if text.endswith(OPENING[:n])), 0)
    return len(text) - begun


def _call_of(text: str) -> Fields | None:
    try:
        call = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call.get("name"), str):
        return None
    return tool_call(call["name"], json.dumps(call.get("arguments", call.get("parameters", {}))))


def tool_call(name: str, arguments: str) -> Fields:
    """Return a call as OpenAI's API has it.

    Args:
        name: Of the tool.
        arguments: JSON, if the model wrote it so.
    """
    return {
        "id": f"call_{uuid.uuid4().hex[:24]}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
