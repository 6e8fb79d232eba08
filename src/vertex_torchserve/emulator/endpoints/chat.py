"""Chats as OpenAI's clients send them to an endpoint, and what the container gets and answers.

That Vertex AI puts such a body into `instances`, with a field that names its form, and takes the completion
out of `predictions` is not documented: the servers that its guide "Using OpenAI libraries with Vertex AI"
names, Google's vLLM images and text-generation-inference, take it in this form.
"""

import json
from dataclasses import replace

from vertex_torchserve.emulator.rest.request import Answer, Request
from vertex_torchserve.emulator.rest.rpc_status import invalid

_EVENTS = "text/event-stream"


def as_prediction(request: Request) -> Request:
    """Return the request that the container gets for a chat.

    Raises:
        RpcError: INVALID_ARGUMENT when the body is no JSON object.
    """
    try:
        chat = json.loads(request.raw_body)
    except (ValueError, RecursionError):
        chat = None
    if not isinstance(chat, dict):
        raise invalid("Invalid JSON payload received: an object is accepted.")
    body = {"instances": [{"@requestFormat": "chatCompletions", **chat}]}
    return replace(request, raw_body=json.dumps(body).encode(), headers={"content-type": "application/json"})


def as_completion(answer: Answer) -> Answer:
    """Return the answer that the client gets: events as they come, else what `predictions` holds.

    Args:
        answer: The container's.
    """
    kind = next((value for name, value in answer.headers.items() if name.lower() == "content-type"), "")
    if kind.startswith(_EVENTS) and answer.status == 200:
        return answer
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    try:
        found = json.loads(body)["predictions"]
        completion = found[0] if isinstance(found, list) else found
    except (ValueError, LookupError, TypeError):
        return replace(answer, body=body)
    return replace(answer, body=json.dumps(completion).encode())
