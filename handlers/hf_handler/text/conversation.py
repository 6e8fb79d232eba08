"""Conversations: messages with a role and a content."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hf_handler.bounds import MESSAGES, REQUEST_ROWS
from hf_handler.items import Query
from hf_handler.schema import FLAG, INPUT_TEXT, INPUT_TEXTS, TEXT, Fields, Refused, Schema, list_of

MESSAGE: Schema = {
    "type": "object",
    "properties": {"role": TEXT, "content": {}},
    "required": ["role", "content"],
    "additionalProperties": True,
}


CONVERSATION: Schema = {**list_of(MESSAGE), "minItems": 1, "maxItems": MESSAGES}


# What tasks that go on with a text or a conversation declare of it.
TEXT_OR_CONVERSATION: Schema = {"anyOf": [INPUT_TEXT, CONVERSATION]}
CONVERSATIONS: Schema = {**list_of(CONVERSATION), "minItems": 1, "maxItems": REQUEST_ROWS}
# One of them, or a list of instances.
TEXTS_OR_CONVERSATIONS: Schema = {"anyOf": [INPUT_TEXT, CONVERSATION, INPUT_TEXTS, CONVERSATIONS]}
# A prediction holds what was sent and what was written, so it may be longer.
ANSWERED: Schema = {"anyOf": [TEXT, list_of(MESSAGE)]}
CONVERSATION_ALIASES = {"messages": "text", "prompt": "text", "text_inputs": "text"}
CONVERSATION_PARAMETERS: Mapping[str, Schema] = {
    "return_full_text": {**FLAG, "default": True},
    "continue_final_message": FLAG,
    "skip_special_tokens": {**FLAG, "default": True},
    # As transformers' templates take them.
    "tools": {**list_of({"type": "object"}), "maxItems": MESSAGES},
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
        tools: That the model may call.
    """

    given: str | list[Fields]
    continued: bool
    tools: tuple[Fields, ...] = ()

    @classmethod
    def of(cls, query: Query) -> "Conversation":
        """Return what the field `text` of a query says; a last message of the assistant is continued.

        Raises:
            Refused: There are tools without messages.
        """
        given, tools = query.fields["text"], tuple(query.parameters.get("tools", ()))
        if isinstance(given, str):
            if tools:
                raise Refused("tools takes messages, not a text")
            return cls(given, False)
        last = given[-1]["role"] == "assistant"
        return cls(given, bool(query.parameters.get("continue_final_message", last)), tools)

    def require(self, template: str | dict[str, str] | None) -> None:
        """Make sure that a chat template can be used.

        Args:
            template: The model's; a dict where it has several.

        Raises:
            Refused: The model has none, or none that takes tools.
        """
        if not template:
            raise Refused("messages: the model has no chat template, so it takes text, not messages")
        text = template if isinstance(template, str) else "".join(template.values())
        if self.tools and "tools" not in text:
            raise Refused("tools: the model's chat template takes none")

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
            tools=list(self.tools) or None,
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
