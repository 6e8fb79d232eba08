"""text-generation: more of a text, or the next message of a conversation."""

from collections.abc import Sequence
from typing import Any

import torch
import transformers

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.schema import FLAG, Refused, list_of, record
from hf_handler.task import Task
from hf_handler.text.admission import admit
from hf_handler.text.conversation import (
    ANSWERED,
    CONVERSATION_ALIASES,
    CONVERSATION_PARAMETERS,
    TEXT_OR_CONVERSATION,
    Conversation,
    is_conversation,
)
from hf_handler.text.generation_parameters import GENERATION, GENERATION_ALIASES
from hf_handler.text.streaming import Parts
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import load_tokenizer, tokenize
from hf_handler.text.writer import BUDGET, Writer


class TextGeneration(Task):
    """More of a text, or the next message of a conversation; in parts while it is written, if asked."""

    name = "text-generation"
    interface = Interface(
        fields={"text": TEXT_OR_CONVERSATION},
        aliases={**GENERATION_ALIASES, **CONVERSATION_ALIASES},
        parameters={**GENERATION, **CONVERSATION_PARAMETERS, "stream": {**FLAG, "default": False}},
        prediction=list_of(record({"generated_text": ANSWERED})),
        example={"inputs": "warm up", "parameters": {"max_new_tokens": 2}},
    )
    budget = BUDGET

    def load(self) -> None:
        """Set `model`, `tokenizer`, `token_rows` and `writer`."""
        self.model = self.archive.model(transformers.AutoModelForCausalLM)
        self.tokenizer = load_tokenizer(self.archive, self.model)
        self.tokenizer.padding_side = "left"  # padded on the right, a text would go on from the padding
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer)
        defaults = {"max_new_tokens": 256, "do_sample": True, "temperature": 0.7}
        limit = self.token_rows.limit
        self.writer = Writer(self.model, self.tokenizer, defaults, limit=limit, clean_up=None)

    def is_one(self, inputs: list[Any]) -> bool:
        """A list of messages is one conversation."""
        return is_conversation(inputs)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a query; the texts are tokenized in one call."""
        usable = admit(queries, [[query.fields["text"]] for query in queries])
        texts = [text for query in usable if isinstance(text := query.fields["text"], str)]
        rows = iter(tokenize(self.tokenizer, texts) if texts else [])
        work: list[list[Item]] = []
        for query in queries:
            if query.failure is not None:
                work.append([])
                continue
            row = next(rows) if isinstance(query.fields["text"], str) else None
            try:
                work.append(self._planned(query, row))
            except Refused as error:
                query.failure = error
                work.append([])
        return work

    def _planned(self, query: Query, row: dict[str, list[int]] | None) -> list[Item]:
        """Return the planned item of a query; none where it fails.

        Args:
            query: Of a text or a conversation.
            row: The tokens of the text; None: it is a conversation.

        Raises:
            Refused: There is nothing to start from, or the parameters don't go together.
        """
        conversation = Conversation.of(query)
        ids = self.shortened(query, self.templated(conversation) if row is None else row["input_ids"])
        if not ids:
            return []
        item = Item({"input_ids": ids}, len(ids), source=conversation)
        return [self.writer.plan(item, query.parameters, query.allowance)]

    def templated(self, conversation: Conversation) -> list[int]:
        """Return the tokens of a conversation.

        Raises:
            Refused: The model has no chat template, or its template refuses the conversation.
        """
        if not self.tokenizer.chat_template:
            raise Refused("the model has no chat template, so it takes text, not messages", 422)
        try:
            return list(conversation.templated(self.tokenizer)["input_ids"])
        except Exception as error:
            # The template is the model's own code; what it raises says what it wants of a conversation.
            raise Refused(f"the chat template refuses the conversation: {str(error)[:200]}", 422) from None

    def shortened(self, query: Query, ids: list[int]) -> list[int]:
        """Leave room for at least one new token: what is cut is the beginning; nothing where it may not be.

        Raises:
            Refused: There is no token to start from.
        """
        if not ids:
            if self.tokenizer.bos_token_id is None:
                raise Refused("the text is empty, and the model has no token to begin a text with", 422)
            return [self.tokenizer.bos_token_id]
        if len(ids) < self.token_rows.limit:
            return ids
        if not self.token_rows.may_cut(query, len(ids)):
            return []
        wanted = query.parameters.get("max_new_tokens") or self.token_rows.limit // 2
        return ids[-max(1, self.token_rows.limit - wanted) :]

    def run(self, pack: list[Item], streamer: Any = None) -> Sequence[Any]:
        """The new tokens of each item's sequences."""
        batch = self.token_rows.batch(pack, self.device)
        tokens = self.writer.write(pack, batch, self.device, streamer)
        rows: list[list[list[int]]] = tokens[:, :, batch["input_ids"].shape[1] :].tolist()
        return rows

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence: the text or the conversation, with what was written."""
        conversation: Conversation = items[0].source
        texts = self.writer.texts(rows[0], query.parameters)
        whole = query.parameters["return_full_text"]
        return [{"generated_text": conversation.with_answer(text) if whole else text} for text in texts]

    # -- Streaming --

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
        """Send `{"text": ...}` and a line feed for each part; the whole answer follows as ever.

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
        if (options.get("num_beams") or 1) > 1 or (options.get("num_return_sequences") or 1) > 1:
            raise Refused("stream takes num_beams and num_return_sequences of 1")
        with torch.inference_mode():
            row = self.run(items, Parts(self.tokenizer, query, context))[0]
        query.allowance.check_time()
        query.prediction = self.finish(query, items, [row])
