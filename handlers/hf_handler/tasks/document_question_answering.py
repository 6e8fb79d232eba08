"""document-question-answering: the answer to a question about a page."""

from collections.abc import Mapping, Sequence
from typing import Any

import transformers

from hf_handler.failures import each
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.media.files import FILE
from hf_handler.media.pictures import GREY, Pictures
from hf_handler.schema import (
    COUNT,
    FLAG,
    SCORE,
    TEXT,
    WHOLE,
    Fields,
    Parameters,
    Refused,
    Schema,
    check,
    list_of,
    record,
)
from hf_handler.task import Task
from hf_handler.tensors import shapes_of, tensors_of, together
from hf_handler.text.token_rows import TokenRows

WORD_BOX: Schema = {"type": "array", "minItems": 2, "maxItems": 2}


WORD_BOXES: Schema = {"type": "array", "items": WORD_BOX, "minItems": 1, "maxItems": 10_000}


EDGE: Schema = {"type": "integer", "minimum": 0, "maximum": 1000}


class DocumentQuestionAnswering(Task):
    """The answer to a question about a page: a span of its words, which the client sent, or Donut's own."""

    name = "document-question-answering"
    interface = Interface(
        fields={"image": FILE, "question": {**TEXT, "minLength": 1}, "word_boxes": WORD_BOXES},
        forms=(("image", "question"), ("word_boxes", "question"), ("image", "question", "word_boxes")),
        media=("image",),
        parameters={
            "top_k": {**COUNT, "default": 1},
            "doc_stride": COUNT,
            "max_answer_len": {**COUNT, "default": 15},
            "max_seq_len": COUNT,
            "handle_impossible_answer": {**FLAG, "default": False},
        },
        prediction={
            "anyOf": [
                list_of(record({"score": SCORE, "answer": TEXT, "start": WHOLE, "end": WHOLE})),
                list_of(record({"answer": {"anyOf": [TEXT, {"type": "null"}]}})),
            ]
        },
        example={
            "image": GREY, "question": "what?", "word_boxes": [["warm", [0, 0, 9, 9]], ["up", [9, 0, 19, 9]]],
        },
    )  # fmt: skip
    budget = 2048

    def load(self) -> None:
        """Load the model by its kind, and what cuts a page for it."""
        archive = self.archive
        self.pictures = Pictures(archive)
        self.reads = archive.config().model_type == "vision-encoder-decoder"
        kind = "AutoModelForImageTextToText" if self.reads else "AutoModelForDocumentQuestionAnswering"
        self.model = archive.model(getattr(transformers, kind))
        self.tokenizer = archive.processor(transformers.AutoTokenizer)
        self.tokenizer.padding_side = "right"
        processor, files = None, ("preprocessor_config.json", "processor_config.json")
        if any((archive.folder / name).is_file() for name in files):
            processor = archive.processor(transformers.AutoImageProcessor)
            processor.apply_ocr = False  # the words come with the request
        # It knows how to cut a page in parts and how to choose among spans; the model is run here.
        self.pipeline = transformers.DocumentQuestionAnsweringPipeline(
            model=self.model, tokenizer=self.tokenizer, image_processor=processor, device=self.model.device
        )
        self.limit = TokenRows(archive, self.model, self.tokenizer).limit

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a part of the page."""
        return each(queries, self.parts)

    def parts(self, query: Query) -> list[Item]:
        """Cut one page.

        Raises:
            Refused: Words or boxes are missing or can't be.
        """
        inputs: Fields = {"question": query.fields["question"]}
        if "image" in query.fields:
            inputs["image"] = self.pictures.open(query.fields["image"])
        elif self.reads or self.model.config.model_type == "layoutlmv2":
            raise Refused("image is missing: this model sees the page", 422)
        options: Parameters = {}
        if not self.reads:
            if "word_boxes" not in query.fields:
                raise Refused(
                    "word_boxes is missing: this model reads no text from an image; send "
                    '[["word", [left, top, right, bottom]], ...] in thousandths of the page', 422,
                )  # fmt: skip
            inputs["word_boxes"] = [_word_box(*entry) for entry in query.fields["word_boxes"]]
            options = self._window(query)
        return [self._item(part) for part in self.pipeline.preprocess(inputs, **options)]

    def _window(self, query: Query) -> Parameters:
        """Return the length of a part and how far it overlaps the next.

        Raises:
            Refused: No word fits beside the question.
        """
        length = min(query.parameters.get("max_seq_len") or self.limit, self.limit)
        words = query.fields["question"].split()
        if not words:
            raise Refused("question must not be blank")
        question = self.tokenizer.backend_tokenizer.encode(
            words, is_pretokenized=True, add_special_tokens=False
        )
        room = length - len(question.ids) - self.tokenizer.num_special_tokens_to_add(pair=True)
        if room < 2:
            raise Refused("no word fits beside the question: it is too long, or max_seq_len too small", 422)
        stride = query.parameters.get("doc_stride") or min(length // 2, 256, room // 2)
        if stride >= room:
            raise Refused(f"doc_stride must be less than {room}, what is left beside the question", 422)
        return {"max_seq_len": length, "doc_stride": stride}

    def _item(self, part: Mapping[str, Any]) -> Item:
        tensors = tensors_of(part, self.model.dtype)
        if self.reads:
            return Item(tensors, 1024, shapes_of(tensors, padded=False))
        source = {name: part[name] for name in ("p_mask", "word_ids", "words", "attention_mask")}
        return Item(tensors, tensors["input_ids"].shape[1], shapes_of(tensors, padded=True), source)

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """What the pipeline makes answers of, a row an item."""
        batch = together([item.inputs for item in pack], self.device, self.tokenizer.pad_token_id or 0)
        if self.reads:
            sequences = self.model.generate(**batch, **self.pipeline._prepare_generate_kwargs({})).cpu()
            return [{"sequences": row[None]} for row in sequences]
        output = self.model(**batch)
        starts, ends = output.start_logits.float().cpu(), output.end_logits.float().cpu()
        return [
            {"start_logits": start[None, : item.length], "end_logits": end[None, : item.length]}
            for start, end, item in zip(starts, ends, pack, strict=True)
        ]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The `top_k` best answers."""
        names = ("top_k", "max_answer_len", "handle_impossible_answer")
        return self.pipeline.postprocess(
            [{**row, **(item.source or {})} for row, item in zip(rows, items, strict=True)],
            **{name: query.parameters[name] for name in names},
        )


def _word_box(word: Any, box: Any) -> tuple[str, list[int]]:
    edges = check(box, {"type": "array", "items": EDGE, "minItems": 4, "maxItems": 4}, "word_boxes: a box")
    if edges[0] > edges[2] or edges[1] > edges[3]:
        raise Refused(
            "word_boxes: a box is [left, top, right, bottom]: right and bottom can't come first", 422
        )
    return check(word, TEXT, "word_boxes: a word"), edges
