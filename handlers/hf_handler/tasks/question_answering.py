"""question-answering: the span of a context that answers a question."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy
import torch

from hf_handler.bounds import REQUEST_ROWS
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.schema import (
    COUNT,
    FLAG,
    INPUT_TEXT,
    SCORE,
    TEXT,
    WHOLE,
    Fields,
    Refused,
    Schema,
    list_of,
    or_several,
    record,
)
from hf_handler.text.admission import admit
from hf_handler.text.reading_parameters import TRUNCATION
from hf_handler.text.tokens import tokenize
from hf_handler.text.windows import Cut, windows
from hf_handler.without_effect import PADDED

ANSWER: Schema = record(
    {"score": SCORE, "start": {"type": "integer"}, "end": {"type": "integer"}, "answer": TEXT}
)


class QuestionAnswering(EncoderTask):
    """The span of a context that answers a question, as the pipeline of transformers 4.57 gave it."""

    name = "question-answering"
    auto_class = "AutoModelForQuestionAnswering"
    interface = Interface(
        fields={
            "question": or_several(INPUT_TEXT),
            "context": or_several({**INPUT_TEXT, "minLength": 1}),
        },
        forms=(("question", "context"),),
        several=("question", "context"),
        parameters={
            "top_k": {**COUNT, "default": 1},
            "doc_stride": WHOLE,
            "max_answer_len": {**COUNT, "default": 15},
            "max_seq_len": COUNT,
            # Taken, and without effect, as in 4.57 with tokenizers that tell offsets.
            "max_question_len": COUNT,
            "handle_impossible_answer": {**FLAG, "default": False},
            "align_to_words": {**FLAG, "default": True},
            # Without effect: a long context is read in windows, all of it.
            "truncation": TRUNCATION,
            **PADDED,
        },
        aliases={"topk": "top_k", "max_answer_length": "max_answer_len"},
        prediction={"anyOf": [ANSWER, list_of(ANSWER)]},
        example={"question": "Who is here?", "context": "Anna is here."},
    )

    def load(self) -> None:
        """Load.

        Raises:
            ValueError: The tokenizer tells no offsets.
        """
        super().load()
        if not self.tokenizer.is_fast:
            raise ValueError(
                "question-answering needs a tokenizer with offsets; fix: package tokenizer.json too"
            )
        self.question_first = self.tokenizer.padding_side == "right"

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """The windows of each context, every one beside the question."""
        usable = admit(queries, [[(query.fields["question"], query.fields["context"])] for query in queries])
        questions = tokenize(self.tokenizer, [query.fields["question"] for query in usable])
        texts, cuts, cut_up = [], [], []
        for query, question in zip(usable, questions, strict=True):
            cut = self._cut(query, len(question["input_ids"]))
            if cut is not None:
                pair = (query.fields["question"], query.fields["context"])
                texts.append(pair if self.question_first else pair[::-1])
                cuts.append(cut)
                cut_up.append(query)
        strategy = "only_second" if self.question_first else "only_first"
        spans = iter(windows(self.tokenizer, cut_up, texts, cuts, strategy))
        wanted = set(map(id, cut_up))
        return [self._counted(query, next(spans)) if id(query) in wanted else [] for query in queries]

    @staticmethod
    def _counted(query: Query, items: list[Item]) -> list[Item]:
        """Count the answers that are looked at in each window; returns no windows where they are too many."""
        try:
            query.allowance.take(REQUEST_ROWS, len(items) * (query.parameters["top_k"] - 1))
        except Refused as error:
            query.failure = error
        return [] if query.failure else items

    def _cut(self, query: Query, question_tokens: int) -> Cut | None:
        """Return how the context is cut, or fail the query and return None."""
        parameters = query.parameters
        asked = question_tokens - self.tokenizer.num_special_tokens_to_add()
        size = min(parameters.get("max_seq_len", 384), self.token_rows.limit)
        stride = parameters.get("doc_stride", min(size // 2, 128))
        room = size - asked - self.tokenizer.num_special_tokens_to_add(pair=True)
        if room <= stride:
            query.failure = Refused(
                f"the question's {asked} tokens leave {room} of {size} for the context, which must exceed "
                f"doc_stride, {stride}; send a shorter question or a smaller doc_stride",
                422,
            )
            return None
        return Cut(size, stride, room - stride)

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The logits of start and end (2 x tokens), a row an item."""
        output, _ = self.forward(pack)
        logits = torch.stack([output.start_logits, output.end_logits], dim=-1).float().cpu().numpy()
        return self.token_rows.pad.without(logits, pack)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The best spans of all windows; equal texts are one answer, their scores added."""
        parameters, context = query.parameters, query.fields["context"]
        # Spans can fall into one word, so more are looked at than asked for.
        looked_at = parameters["top_k"] * 2 + 10 if parameters["align_to_words"] else parameters["top_k"]
        answers: dict[str, Fields] = {}
        impossible = 1_000_000.0
        for item, logits in zip(items, rows, strict=True):
            allowed = self._allowed(item.source)
            start, end = (softmax_of(column, allowed) for column in logits.T)
            if parameters["handle_impossible_answer"]:
                impossible = min(impossible, float(start[0] * end[0]))
            start[0] = end[0] = 0.0
            for first, last, score in best_spans(start, end, looked_at, parameters["max_answer_len"]):
                if not (allowed[first] and allowed[last]):
                    continue
                place = self._place(item.source, first, last, parameters["align_to_words"])
                text = context[slice(*place)]
                known = answers.setdefault(
                    text.lower(), {"score": 0.0, "start": place[0], "end": place[1], "answer": text}
                )
                known["score"] += score
        found = list(answers.values())
        if parameters["handle_impossible_answer"]:
            found.append({"score": impossible, "start": 0, "end": 0, "answer": ""})
        found = sorted(found, key=lambda answer: -answer["score"])[: parameters["top_k"]]
        return found[0] if len(found) == 1 else found

    def _allowed(self, encoding: Any) -> numpy.ndarray:
        """Which tokens an answer may begin and end with: the context's, and the one that stands for none."""
        context = 1 if self.question_first else 0
        in_context = numpy.array([sequence == context for sequence in encoding.sequence_ids])
        allowed: numpy.ndarray = in_context | (numpy.array(encoding.ids) == self.tokenizer.cls_token_id)
        return allowed

    def _place(self, encoding: Any, first: int, last: int, whole_words: bool) -> tuple[int, int]:
        """Return where a span of tokens begins and ends in the context, in characters."""
        words = [encoding.token_to_word(token) for token in (first, last)]
        if whole_words and None not in words:
            context = 1 if self.question_first else 0
            ends = [encoding.word_to_chars(word, context) for word in words]
            if None not in ends:
                return ends[0][0], ends[1][1]
        return encoding.offsets[first][0], encoding.offsets[last][1]


def softmax_of(logits: numpy.ndarray, allowed: numpy.ndarray) -> numpy.ndarray:
    """Return the probability of each token, next to none where it isn't allowed."""
    logits = numpy.where(allowed, logits, numpy.float32(-10000))
    weights = numpy.exp(logits - logits.max())
    return numpy.asarray(weights / weights.sum())


def best_spans(
    start: numpy.ndarray, end: numpy.ndarray, count: int, longest: int
) -> Iterator[tuple[int, int, float]]:
    """Yield the `count` likeliest spans of at most `longest` tokens: first, last and probability."""
    spans = numpy.tril(numpy.triu(numpy.outer(start, end)), min(longest, len(start)) - 1).ravel()
    if count == 1:
        order = numpy.array([spans.argmax()])
    elif len(spans) <= count:
        order = numpy.argsort(-spans)
    else:
        best = numpy.argpartition(-spans, count)[:count]
        order = best[numpy.argsort(-spans[best])]
    for index in order.tolist():
        yield index // len(start), index % len(start), float(spans[index])
