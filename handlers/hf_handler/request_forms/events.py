"""How OpenAI's API sends an answer while it is made, in server-sent events; and how it tells an error."""

import json
from http import HTTPStatus
from typing import Any

CONTENT_TYPE = "text/event-stream"
END = "data: [DONE]\n\n"


def event(content: Any) -> str:
    """Return one event of JSON."""
    return f"data: {json.dumps(content)}\n\n"


def error_of(status: int, message: str) -> Any:
    """Return an error as OpenAI's API tells it."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}


def error_body(status: int, message: str) -> str:
    """Return the body of an answer that is an error."""
    return json.dumps(error_of(status, message))


def error_event(status: int, message: str) -> str:
    """Return the event that tells a client that there is no more to come."""
    return event(error_of(status, message))
