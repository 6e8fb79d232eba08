"""Server-sent events: how OpenAI's API sends an answer while it is made."""

import json
from typing import Any

CONTENT_TYPE = "text/event-stream"
END = "data: [DONE]\n\n"


def event(content: Any) -> str:
    """Return one event of JSON."""
    return f"data: {json.dumps(content)}\n\n"


def error_event(status: int, message: str) -> str:
    """Return the event that tells a client that there is no more to come."""
    return event({"error": {"message": message, "type": "server_error", "param": None, "code": status}})
