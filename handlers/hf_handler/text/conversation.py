"""Conversations: messages with a role and a content."""

from typing import Any

from hf_handler.schema import TEXT, Schema

MESSAGE: Schema = {
    "type": "object",
    "properties": {"role": TEXT, "content": {}},
    "required": ["role", "content"],
    "additionalProperties": True,
}


CONVERSATION: Schema = {"type": "array", "items": MESSAGE, "minItems": 1}


def is_conversation(value: Any) -> bool:
    """Whether a list is one conversation: messages with a role."""
    return bool(value) and all(isinstance(message, dict) and "role" in message for message in value)
