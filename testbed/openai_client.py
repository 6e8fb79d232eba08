"""OpenAI's client, as docs/clients.md makes it for a server that has one route."""

from typing import Any

import openai

from testbed.deadlines import ANSWER_SECONDS


def client_of(url: str) -> openai.OpenAI:
    """A client that sends everything to one URL."""

    def to_the_predict_route(request: Any) -> None:
        request.url = type(request.url)(url)

    http_client = openai.DefaultHttpxClient(event_hooks={"request": [to_the_predict_route]})
    return openai.OpenAI(api_key="none", base_url=url, http_client=http_client, timeout=ANSWER_SECONDS)
