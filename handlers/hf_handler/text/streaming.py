"""Texts sent in parts while they are written."""

import json
from dataclasses import dataclass, field
from typing import Any

import torch

from hf_handler.items import Query
from hf_handler.replies import StreamedReply
from hf_handler.schema import Fields
from hf_handler.text.details import token_details
from hf_handler.text.stop_strings import stop_strings, without_stop
from hf_handler.text.token_log import Noted, TokenLog


@dataclass(slots=True)
class _Text:
    """One that is being written.

    Attributes:
        tokens: Written so far.
        noted: Of each token, where it is noted how likely they are.
        ends: How many characters the text had behind each token.
        sent: How many characters have been sent.
        told: Of how many tokens it has been told how likely they are.
    """

    tokens: list[int] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    sent: int = 0
    told: int = 0


class Parts:
    """What `generate` calls with each new token: sends the texts as far as they are certain.

    Args:
        tokenizer: Decodes.
        query: Whose texts they are; its reply makes the parts, where it has one.
        context: TorchServe's.
    """

    def __init__(self, tokenizer: Any, query: Query, context: Any) -> None:
        from ts.handler_utils.utils import send_intermediate_predict_response

        self._send_parts = send_intermediate_predict_response
        self._tokenizer, self._query, self._context = tokenizer, query, context
        self._reply = query.reply if isinstance(query.reply, StreamedReply) else None
        self._stop = stop_strings(query.parameters)
        self._texts: list[_Text] = []
        self._log: TokenLog | None = None

    def begin(self) -> None:
        """Send what stands before the text, where there is something."""
        if self._reply is not None:
            self._send(self._reply.first())

    def follow(self, log: TokenLog) -> None:
        """Tell with each part how likely its tokens were, as a log notes it."""
        self._log = log

    def put(self, tokens: torch.Tensor) -> None:
        """Take in the prompts, one for each text, then one token of each text at a time."""
        if not self._texts:
            self._texts = [_Text() for _ in range(tokens.shape[0])]
            return
        if self._log is not None:
            for text, noted in zip(self._texts, self._log.note(tokens.flatten()), strict=True):
                text.noted.append(noted)
        for index, token in enumerate(tokens.flatten().tolist()):
            self._texts[index].tokens.append(token)
            written = self._written(index)
            self._texts[index].ends.append(len(written))
            # A character may take several tokens, a stop string several parts: what may still change waits.
            if not written.endswith("\N{REPLACEMENT CHARACTER}"):
                held = max((len(word) - 1 for word in self._stop), default=0)
                self._send_until(index, written, len(written) - held)

    def end(self) -> None:
        """Send the rest."""
        for index in range(len(self._texts)):
            written = self._written(index)
            self._send_until(index, written, len(written))

    def _written(self, index: int) -> str:
        skip = self._query.parameters["skip_special_tokens"]
        text = self._tokenizer.decode(self._texts[index].tokens, skip_special_tokens=skip)
        return without_stop(text, self._stop)

    def _send_until(self, index: int, written: str, end: int) -> None:
        text = self._texts[index]
        if end > text.sent:
            part = written[text.sent : end]
            text.sent = end
            if self._reply is None:
                self._send(json.dumps({"text": part}) + "\n")
            else:
                self._send(self._reply.part(part, self._told(text), index))

    def _told(self, text: _Text) -> Fields:
        """Return what was noted of the tokens that have been sent and not been told of."""
        if self._log is None:
            return {}
        since, until = text.told, sum(end <= text.sent for end in text.ends)
        text.told = until
        likeliest = self._query.parameters.get("top_n_tokens", 0)
        return token_details(self._tokenizer, text.tokens[:until], text.noted, likeliest, since)

    def _send(self, part: str) -> None:
        if not part:
            return
        index = self._query.request
        kind = "application/x-ndjson" if self._reply is None else self._reply.content_type
        self._context.set_response_content_type(index, kind)
        requests = {index: self._context.request_ids[index]}
        self._send_parts({index: part}, requests, "Intermediate Prediction success", 200, self._context)
