"""text-generation: more of a text, or the next message of a conversation."""

from collections.abc import Sequence
from typing import Any

import transformers

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.streaming import StreamingTask
from hf_handler.request_forms.chat_completions import ChatCompletions
from hf_handler.request_forms.completions import Completions
from hf_handler.schema import FLAG, Refused, list_of, record
from hf_handler.text.admission import admit
from hf_handler.text.conversation import (
    ANSWERED,
    CONVERSATION_ALIASES,
    CONVERSATION_PARAMETERS,
    TEXTS_OR_CONVERSATIONS,
    Conversation,
    is_conversation,
)
from hf_handler.text.details import DETAILS
from hf_handler.text.generation_parameters import (
    GENERATION,
    GENERATION_ALIASES,
    LONG_PROMPTS,
    TOLD,
    WRITTEN_TO,
)
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import load_tokenizer, tokenize
from hf_handler.text.writer import BUDGET, Writer, parameters_to_choose


class TextGeneration(StreamingTask):
    """More of a text, or the next message of a conversation; in parts while it is written, if asked."""

    name = "text-generation"
    interface = Interface(
        fields={"text": TEXTS_OR_CONVERSATIONS},
        several=("text",),
        aliases={**GENERATION_ALIASES, **CONVERSATION_ALIASES},
        parameters={
            **GENERATION,
            **WRITTEN_TO,
            **LONG_PROMPTS,
            **TOLD,
            **CONVERSATION_PARAMETERS,
            "stream": {**FLAG, "default": False},
        },
        prediction=list_of(record({"generated_text": ANSWERED}, {"details": DETAILS})),
        example={"inputs": "warm up", "parameters": {"max_new_tokens": 2}},
        request_forms=(ChatCompletions(), Completions()),
    )
    budget = BUDGET

    def load(self) -> None:
        """Set `model`, `tokenizer`, `token_rows` and `writer`."""
        self.model = self.archive.model(transformers.AutoModelForCausalLM)
        self.tokenizer = load_tokenizer(self.archive, self.model)
        self.tokenizer.padding_side = "left"  # padded on the right, a text would go on from the padding
        self.token_rows = TokenRows(self.archive, self.model, self.tokenizer, shortened_by="truncate")
        defaults = {"max_new_tokens": 256, "do_sample": True, "temperature": 0.7}
        limit = self.token_rows.limit
        self.writer = Writer(
            self.model, self.tokenizer, defaults, limit=limit, clean_up=None, decodes_text=True
        )

    def is_one(self, inputs: list[Any]) -> bool:
        """A list of messages is one conversation."""
        return is_conversation(inputs)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a query; the texts are tokenized in one call."""
        usable = admit(
            queries, [[(query.fields["text"], query.parameters.get("tools"))] for query in queries]
        )
        texts = [
            query.parameters.get("prefix", "") + text
            for query in usable
            if isinstance(text := query.fields["text"], str)
        ]
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
        query.tokens = len(ids)
        item = Item({"input_ids": ids}, len(ids), source=conversation)
        return [self.writer.plan(item, parameters_to_choose(query.parameters), query.allowance)]

    def templated(self, conversation: Conversation) -> list[int]:
        """Return the tokens of a conversation.

        Raises:
            Refused: The model has no chat template, or its template refuses the conversation.
        """
        conversation.require(self.tokenizer.chat_template)
        try:
            return list(conversation.templated(self.tokenizer)["input_ids"])
        except Exception as error:
            # The template is the model's own code; what it raises says what it wants of a conversation.
            raise Refused(f"messages: the chat template refuses them: {str(error)[:200]}") from None

    def shortened(self, query: Query, ids: list[int]) -> list[int]:
        """Leave room for at least one new token: what is cut is the beginning; nothing where it may not be.

        Raises:
            Refused: There is no token to start from.
        """
        if not ids:
            if self.tokenizer.bos_token_id is None:
                raise Refused("the text is empty, and the model has no token to begin a text with", 422)
            return [self.tokenizer.bos_token_id]
        read = self.token_rows.limit_of(query)
        limit = self.token_rows.limit
        if len(ids) < limit and len(ids) <= read:
            return ids
        if not self.token_rows.may_cut(query, len(ids)):
            return []
        if read < limit:
            return ids[-read:]
        wanted = query.parameters.get("max_new_tokens") or limit // 2
        return ids[-max(1, limit - wanted) :]

    def run(self, pack: list[Item], streamer: Any = None) -> Sequence[Any]:
        """The new tokens of each item's sequences."""
        batch = self.token_rows.batch(pack, self.device)
        prompt = batch["input_ids"].shape[1]
        written = self.writer.write(pack, batch, self.device, streamer)
        return [[tokens[prompt:] for tokens in sequences] for sequences in written]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence: the text or the conversation, with what was written."""
        (item,) = items
        conversation: Conversation = item.source
        texts = self.writer.texts(rows[0], query.parameters)
        query.written = self.writer.count(rows[0], query.parameters)
        whole = query.parameters["return_full_text"]
        return [
            {"generated_text": conversation.with_answer(texts[index]) if whole else texts[index], **told}
            for index, told in self.writer.answered(item, rows[0], query)
        ]
