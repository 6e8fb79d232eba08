"""Tasks that send a text while it is written."""

from collections.abc import Sequence
from typing import Any

import torch

from hf_handler.failures import failure_of, log_failure
from hf_handler.items import Item, Query
from hf_handler.postponing import tell_costly
from hf_handler.replies import StreamedReply
from hf_handler.schema import Refused
from hf_handler.task import Task
from hf_handler.text.streaming import Parts


class StreamingTask(Task):
    """A task that writes a text, in parts if `stream` is true.

    Attributes:
        tokenizer: Of the model; `load` sets it.
    """

    tokenizer: Any

    def run(self, pack: list[Item], streamer: Any = None) -> Sequence[Any]:
        """As for any task; `streamer` is given the prompt's tokens, then each new one."""
        raise NotImplementedError

    def answer(self, queries: Sequence[Query], context: Any = None) -> None:
        """Answer those that stream one by one, the rest together."""
        super().answer([query for query in queries if not query.parameters["stream"]], context)
        requests = [query.request for query in queries]
        for query in queries:
            if query.parameters["stream"]:
                try:
                    self.stream(query, context, requests.count(query.request))
                except Exception as error:
                    query.failure = error

    def stream(self, query: Query, context: Any, instances: int) -> None:
        """Send each part of a text; then the whole answer as ever, or the end that the query's reply makes.

        Raises:
            Refused: It can't be streamed.
        """
        if query.request is None or getattr(context, "cl_socket", None) is None:
            raise Refused("stream: this service envelope doesn't tell whose answer a part is of")
        if instances > 1:
            raise Refused("stream takes one instance a request")
        (items,) = self.planned([query])
        if query.failure is not None:
            return
        options = dict(items[0].group.options)
        if (options.get("num_beams") or 1) > 1:
            raise Refused("stream takes num_beams of 1")
        # The handler's own parts don't say which text they are of.
        if (options.get("num_return_sequences") or 1) > 1 and not isinstance(query.reply, StreamedReply):
            raise Refused("stream takes num_return_sequences and best_of of 1")
        tell_costly(query, context)
        parts = Parts(self.tokenizer, query, context)
        parts.begin()
        if not isinstance(query.reply, StreamedReply):
            self._write(query, items, parts)
            return
        try:
            self._write(query, items, parts)
            query.rest = query.reply.last(query.prediction, query.tokens)
        except Exception as error:  # its status, 200, has been sent
            if not isinstance(error, Refused):
                log_failure(error)
            query.rest = query.reply.broken(*failure_of(error, 0))

    def _write(self, query: Query, items: list[Item], parts: Parts) -> None:
        with torch.inference_mode():
            row = self.run(items, parts)[0]
        query.allowance.check_time()
        query.prediction = self.finish(query, items, [row])
