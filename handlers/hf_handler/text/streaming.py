"""Text sent in parts while it is written."""

import json
from typing import Any

import torch

from hf_handler.items import Query
from hf_handler.replies import StreamedReply
from hf_handler.text.stop_strings import stop_strings, without_stop


class Parts:
    """What `generate` calls with each new token: sends the text as far as it is certain.

    Args:
        tokenizer: Decodes.
        query: Whose text it is; its reply makes the parts, where it has one.
        context: TorchServe's.
    """

    def __init__(self, tokenizer: Any, query: Query, context: Any) -> None:
        from ts.handler_utils.utils import send_intermediate_predict_response

        self._send_parts = send_intermediate_predict_response
        self._tokenizer, self._query, self._context = tokenizer, query, context
        self._reply = query.reply if isinstance(query.reply, StreamedReply) else None
        self._stop = stop_strings(query.parameters)
        self._tokens: list[int] = []
        self._sent = 0
        self._prompt = True

    def begin(self) -> None:
        """Send what stands before the text, where there is something."""
        if self._reply is not None:
            self._send(self._reply.first())

    def put(self, tokens: torch.Tensor) -> None:
        """Take in the prompt, then one token at a time."""
        if self._prompt:
            self._prompt = False
            return
        self._tokens += tokens.flatten().tolist()
        text = self._text()
        # A character may take several tokens, a stop string several parts: what may still change waits.
        if not text.endswith("\N{REPLACEMENT CHARACTER}"):
            held = max((len(word) - 1 for word in self._stop), default=0)
            self._send_until(text, len(text) - held)

    def end(self) -> None:
        """Send the rest."""
        text = self._text()
        self._send_until(text, len(text))

    def _text(self) -> str:
        skip = self._query.parameters["skip_special_tokens"]
        return without_stop(self._tokenizer.decode(self._tokens, skip_special_tokens=skip), self._stop)

    def _send_until(self, text: str, end: int) -> None:
        if end > self._sent:
            part = text[self._sent : end]
            self._sent = end
            self._send(json.dumps({"text": part}) + "\n" if self._reply is None else self._reply.part(part))

    def _send(self, part: str) -> None:
        if not part:
            return
        index = self._query.request
        kind = "application/x-ndjson" if self._reply is None else self._reply.content_type
        self._context.set_response_content_type(index, kind)
        requests = {index: self._context.request_ids[index]}
        self._send_parts({index: part}, requests, "Intermediate Prediction success", 200, self._context)
