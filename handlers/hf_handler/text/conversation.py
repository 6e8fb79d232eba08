"""Conversations: messages with a role and a content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hf_handler.bounds import MESSAGES
from hf_handler.items import Query
from hf_handler.schema import FLAG, INPUT_TEXT, TEXT, Fields, Schema, list_of

MESSAGE: Schema = {
    "type": "object",
    "properties": {"role": TEXT, "content": {}},
    "required": ["role", "content"],
    "additionalProperties": True,
}


CONVERSATION: Schema = {**list_of(MESSAGE), "minItems": 1, "maxItems": MESSAGES}


# What tasks that go on with a text or a conversation declare of it.
TEXT_OR_CONVERSATION: Schema = {"anyOf": [INPUT_TEXT, CONVERSATION]}
# A prediction holds what was sent and what was written, so it may be longer.
ANSWERED: Schema = {"anyOf": [TEXT, list_of(MESSAGE)]}
CONVERSATION_ALIASES = {"messages": "text", "prompt": "text"}
CONVERSATION_PARAMETERS: Mapping[str, Schema] = {
    "return_full_text": {**FLAG, "default": True},
    "continue_final_message": FLAG,
    "skip_special_tokens": {**FLAG, "default": True},
}


def is_conversation(value: Any) -> bool:
    """Whether a list is one conversation: messages with a role."""
    return bool(value) and all(isinstance(message, dict) and "role" in message for message in value)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a model goes on with: a text, or messages of which the last is answered or continued.

    Attributes:
        given: The text, or the messages as they are answered.
        continued: Whether the last message is to be continued, not answered.
    """

    given: str | list[Fields]
    continued: bool

    @classmethod
    def of(cls, query: Query) -> "Conversation":
        """Return what the field `text` of a query says; a last message of the assistant is continued."""
        given = query.fields["text"]
        if isinstance(given, str):
            return cls(given, False)
        last = given[-1]["role"] == "assistant"
        return cls(given, bool(query.parameters.get("continue_final_message", last)))

    def templated(self, template: Any, messages: Any = None, **options: Any) -> Any:
        """Return what a chat template makes of messages.

        Args:
            template: Who has it: a tokenizer or a processor.
            messages: As the template is to see them; None: as they are given.
            options: More for `apply_chat_template`.

        Raises:
            Exception: Whatever the template, which is the model's own code, raises.
        """
        return template.apply_chat_template(
            self.given if messages is None else messages,
            add_generation_prompt=not self.continued,
            continue_final_message=self.continued,
            return_dict=True,
            **options,
        )

    def with_answer(self, new: str) -> str | list[Fields]:
        """Return the whole: what was given, and what was written to it."""
        if isinstance(self.given, str):
            return self.given + new
        if not self.continued:
            return [*self.given, {"role": "assistant", "content": new}]
        *before, last = self.given
        content = last["content"]
        if isinstance(content, str):
            longer: Any = content + new
        else:
            *parts, part = content
            longer = [*parts, {**part, "text": part["text"] + new}]
        return [*before, {**last, "content": longer}]
