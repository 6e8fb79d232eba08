"""Conversations: messages with a role and a content."""

from collections.abc import Mapping
from typing import Any

from hf_handler.schema import FLAG, TEXT, Schema

MESSAGE: Schema = {
    "type": "object",
    "properties": {"role": TEXT, "content": {}},
    "required": ["role", "content"],
    "additionalProperties": True,
}


CONVERSATION: Schema = {"type": "array", "items": MESSAGE, "minItems": 1}


# What tasks that go on with a text or a conversation declare of it.
TEXT_OR_CONVERSATION: Schema = {"anyOf": [TEXT, CONVERSATION]}
CONVERSATION_ALIASES = {"messages": "text", "prompt": "text"}
CONVERSATION_PARAMETERS: Mapping[str, Schema] = {
    "return_full_text": {**FLAG, "default": True},
    "continue_final_message": FLAG,
    "skip_special_tokens": {**FLAG, "default": True},
}


def is_conversation(value: Any) -> bool:
    """Whether a list is one conversation: messages with a role."""
    return bool(value) and all(isinstance(message, dict) and "role" in message for message in value)
