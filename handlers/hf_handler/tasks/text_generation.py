"""text-generation: more of a text, or the next message of a conversation."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.generation import GENERATION, GENERATION_ALIASES, GenerationTask
from hf_handler.schema import FLAG, Parameters, Refused, list_of, record
from hf_handler.text.conversation import (
    CONVERSATION_ALIASES,
    CONVERSATION_PARAMETERS,
    TEXT_OR_CONVERSATION,
    is_conversation,
)
from hf_handler.text.streaming import Parts
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import tokenize


class TextGeneration(GenerationTask):
    """More of a text, or the next message of a conversation; in parts while it is written, if asked."""

    name = "text-generation"
    auto_class = "AutoModelForCausalLM"
    interface = Interface(
        fields={"text": TEXT_OR_CONVERSATION},
        aliases={**GENERATION_ALIASES, **CONVERSATION_ALIASES},
        parameters={**GENERATION, **CONVERSATION_PARAMETERS, "stream": {**FLAG, "default": False}},
        prediction=list_of(record({"generated_text": TEXT_OR_CONVERSATION})),
        example={"inputs": "warm up", "parameters": {"max_new_tokens": 2}},
    )
    defaults_of_pipeline: ClassVar = {"max_new_tokens": 256, "do_sample": True, "temperature": 0.7}
    clean_up = None

    def load(self) -> None:
        """Load; what is padded ends with its last token, or the model would go on from padding."""
        super().load()
        self.tokenizer.padding_side = "left"
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer)

    def is_one(self, inputs: list[Any]) -> bool:
        """A list of messages is one conversation."""
        return is_conversation(inputs)

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Tokenize the texts in one call, conversations by the model's chat template."""
        texts = [query for query in queries if isinstance(query.fields["text"], str)]
        rows = iter(tokenize(self.tokenizer, [query.fields["text"] for query in texts]) if texts else [])
        work: list[list[Item]] = []
        for query in queries:
            try:
                plain = isinstance(query.fields["text"], str)
                ids = next(rows)["input_ids"] if plain else self.templated(query)
                ids = self.shortened(query, ids)
                work.append([Item({"input_ids": ids})] if ids else [])
            except Refused as error:
                query.failure = error
                work.append([])
        return work

    def templated(self, query: Query) -> list[int]:
        """Return the tokens of a conversation.

        Raises:
            Refused: The model has no chat template, or its template refuses the conversation.
        """
        if not self.tokenizer.chat_template:
            raise Refused("the model has no chat template, so it takes text, not messages", 422)
        continued = self.continues(query)
        try:
            encoded = self.tokenizer.apply_chat_template(
                query.fields["text"],
                add_generation_prompt=not continued,
                continue_final_message=continued,
                return_dict=True,
            )
        except Exception as error:
            # The template is the model's own code; what it raises says what it wants of a conversation.
            raise Refused(f"the chat template refuses the conversation: {str(error)[:200]}", 422) from None
        return list(encoded["input_ids"])

    @staticmethod
    def continues(query: Query) -> bool:
        """Whether the last message is to be continued rather than answered."""
        ends: bool = query.fields["text"][-1]["role"] == "assistant"
        return bool(query.parameters.get("continue_final_message", ends))

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

    def in_new_tokens(self, chosen: Parameters, known: Parameters, prompt: int) -> Parameters:
        """Lengths count the prompt, which is padded in a pack: say them as new tokens, as many as fit."""
        chosen = dict(chosen)
        most = chosen.pop("max_length", None) or known.get("max_length")
        least = chosen.pop("min_length", None) or known.get("min_length")
        if most and "max_new_tokens" not in chosen and "max_new_tokens" not in known:
            chosen["max_new_tokens"] = max(1, most - prompt)
        if least and "min_new_tokens" not in chosen:
            chosen["min_new_tokens"] = max(0, least - prompt)
        new = chosen.get("max_new_tokens", known.get("max_new_tokens"))
        if self.positions and new:
            chosen["max_new_tokens"] = max(1, min(new, self.token_rows.limit - prompt))
        return chosen

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence: the text or the conversation, with what was written."""
        given = query.fields["text"]
        records = []
        for text in self.written(query, rows[0]):
            whole: Any = text
            if query.parameters["return_full_text"]:
                if isinstance(given, str):
                    whole = given + text
                elif self.continues(query):
                    whole = [*given[:-1], {**given[-1], "content": given[-1]["content"] + text}]
                else:
                    whole = [*given, {"role": "assistant", "content": text}]
            records.append({"generated_text": whole})
        return records

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
        (items,) = self.split([query])
        if query.failure is not None:
            return
        options = dict(items[0].group.options)
        if (options.get("num_beams") or 1) > 1 or (options.get("num_return_sequences") or 1) > 1:
            raise Refused("stream takes num_beams and num_return_sequences of 1")
        with torch.inference_mode():
            row = self.run(items, Parts(self.tokenizer, query, context))[0]
        query.prediction = self.finish(query, items, [row])
