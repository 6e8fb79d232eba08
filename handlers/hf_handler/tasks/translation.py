"""translation: a text in another language."""

from collections.abc import Sequence
from typing import Any

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.sequence_to_sequence import FROM_A_TEXT, SequenceToSequence, answers
from hf_handler.schema import INPUT_LABEL, Parameters, Refused
from hf_handler.text.admission import admit


class Translation(SequenceToSequence):
    """A text in another language; the task may be named `translation_en_to_de` too."""

    name = "translation"
    answer_name = "translation_text"
    interface = Interface(**{
        **FROM_A_TEXT,
        "parameters": {**FROM_A_TEXT["parameters"], "src_lang": INPUT_LABEL, "tgt_lang": INPUT_LABEL},
        **answers(answer_name),
    })  # fmt: skip

    def load(self) -> None:
        """Load, and remember the languages that the task's name holds."""
        super().load()
        words = self.full_name.split("_")
        self.languages = (words[1], words[3]) if len(words) == 4 else (None, None)

    def pair(self, parameters: Parameters) -> tuple[Any, Any]:
        """Return the languages of one query: sent, else those of the task's name."""
        source, target = self.languages
        return parameters.get("src_lang", source), parameters.get("tgt_lang", target)

    def specific_name(self, parameters: Parameters) -> str:
        """Return the name of the languages of the task's name; of those sent, where it has none."""
        languages = self.languages if self.languages[0] else self.pair(parameters)
        return "translation_{}_to_{}".format(*languages)

    def prompts(self, queries: Sequence[Query]) -> list[list[Item]]:
        """Tokenize; a tokenizer of many languages is told which, and names the token to start with."""
        if not hasattr(self.tokenizer, "_build_translation_inputs"):
            return super().prompts(queries)
        admit(queries, [[query.fields[self.interface.main]] for query in queries])
        return [[] if query.failure else self._prompt(query) for query in queries]

    def _prompt(self, query: Query) -> list[Item]:
        source, target = self.pair(query.parameters)
        source, target = source or self.tokenizer.src_lang, target or self.tokenizer.tgt_lang
        languages = self.tokenizer.extra_special_tokens
        for name, language in (("src_lang", source), ("tgt_lang", target)):
            if self.tokenizer.convert_tokens_to_ids(language or "") in {None, self.tokenizer.unk_token_id}:
                query.failure = Refused(
                    f"{name} {str(language)[:40]!r} is unknown; accepted: {', '.join(languages)[:400]}",
                    422,
                )
                return []
        inputs = self._tokenized(query, source, target)
        limit = self.token_rows.limit_of(query)
        if len(inputs["input_ids"]) > limit:
            if not self.token_rows.may_cut(query, len(inputs["input_ids"])):
                return []
            inputs = self._tokenized(query, source, target, truncation=True, max_length=limit)
        ids = list(inputs["input_ids"])
        return [Item({"input_ids": ids}, len(ids), source=int(inputs["forced_bos_token_id"]))]

    def _tokenized(self, query: Query, source: str, target: str, **cut: Any) -> Any:
        return self.tokenizer._build_translation_inputs(  # the pipeline's own way
            query.parameters.get("prefix", "") + query.fields[self.interface.main],
            return_tensors=None,
            src_lang=source,
            tgt_lang=target,
            **cut,
        )

    def options(self, query: Query, item: Item) -> Parameters:
        """Return what the model's config says of the languages, and the token that the target begins with."""
        first = {} if item.source is None else {"forced_bos_token_id": item.source}
        return {**super().options(query, item), **first}
