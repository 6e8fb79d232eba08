"""Which tool of a chat must be called."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_handler.request_forms.tool_calls import OPENING, tool_call
from hf_handler.schema import TEXT, Fields, Refused, Schema, record

TOOL_CHOICE: Schema = {
    "anyOf": [
        {"type": "string", "enum": ["none", "auto", "required"]},
        record({"type": {"type": "string", "enum": ["function"]}, "function": record({"name": TEXT})}),
    ]
}


@dataclass(frozen=True)
class ForcedTool:
    """A tool that a model must call: its message is begun for it, and it writes the arguments.

    Attributes:
        name: Of the tool.
    """

    name: str
    closing = "</tool_call>"

    @property
    def opening(self) -> str:
        """How the message begins."""
        return f'{OPENING}\n{{"name": {json.dumps(self.name)}, "arguments":'

    def call(self, text: str) -> tuple[Fields, bool]:
        """Return the call, and whether its arguments are JSON; those that aren't are told as they are.

        Args:
            text: What was written behind the opening.
        """
        written = text.strip()
        try:
            arguments, _ = json.JSONDecoder().raw_decode(written)
        except (ValueError, RecursionError):
            return tool_call(self.name, written), False
        return tool_call(self.name, json.dumps(arguments)), True


def forced_tool(choice: Any, tools: Sequence[Fields]) -> ForcedTool | None:
    """Return the tool that must be called; None where none must.

    Args:
        choice: `tool_choice`, checked.
        tools: Of the request, checked.

    Raises:
        Refused: It isn't among the tools, or it isn't said which.
    """
    if choice in (None, "none", "auto"):
        return None
    names = [tool["function"]["name"] for tool in tools]
    if choice == "required":
        if len(names) != 1:
            raise Refused(f"tool_choice 'required' takes one tool, got {len(names)}: name the one to call")
        return ForcedTool(names[0])
    name: str = choice["function"]["name"]
    if name not in names:
        told = ", ".join(names)[:200] or "none"
        raise Refused(f"tool_choice.function.name must be one of tools, {told}; got {name[:40]!r}")
    return ForcedTool(name)
