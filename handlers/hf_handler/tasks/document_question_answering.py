"""document-question-answering: the answer to a question about a page."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import transformers

from hf_handler.archive import Archive
from hf_handler.bounds import REQUEST_ROWS
from hf_handler.failures import each
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.media.files import FILE
from hf_handler.media.pictures import GREY, PICTURE_ALIASES, Pictures
from hf_handler.schema import (
    COUNT,
    FLAG,
    INPUT_TEXT,
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
from hf_handler.text.admission import count_texts
from hf_handler.text.stopping import stopping_early
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.windows import fits
from hf_handler.without_effect import FETCHED, PADDED

WORD_BOX: Schema = {"type": "array", "minItems": 2, "maxItems": 2}


WORD_BOXES: Schema = {"type": "array", "items": WORD_BOX, "minItems": 1, "maxItems": 10_000}


EDGE: Schema = {"type": "integer", "minimum": 0, "maximum": 1000}


NO_IMAGE = "image is missing: this model sees the page"
PAGE = 1024  # what a page costs that a model reads by itself, in tokens


class DocumentQuestionAnswering(Task):
    """The answer to a question about a page: found (`FoundAnswers`) or written (`WrittenAnswers`).

    Attributes:
        auto_class: Name of the `AutoModel*` class.
    """

    name = "document-question-answering"
    interface = Interface(
        fields={"image": FILE, "question": {**INPUT_TEXT, "minLength": 1}, "word_boxes": WORD_BOXES},
        forms=(("image", "question"), ("word_boxes", "question"), ("image", "question", "word_boxes")),
        media=("image",),
        parameters={
            "top_k": {**COUNT, "default": 1},
            "doc_stride": COUNT,
            "max_answer_len": {**COUNT, "default": 15},
            "max_seq_len": COUNT,
            "handle_impossible_answer": {**FLAG, "default": False},
            **PADDED,
            **FETCHED,
        },
        aliases={**PICTURE_ALIASES, "max_answer_length": "max_answer_len"},
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
    auto_class: ClassVar[str]

    @classmethod
    def class_for(cls, archive: Archive) -> type[Task]:
        """Return what asks a Donut, which writes, or a model that finds the answer among a page's words."""
        donut = archive.config().model_type == "vision-encoder-decoder"
        return WrittenAnswers if donut else FoundAnswers

    def load(self) -> None:
        """Set `pictures`, `model`, `tokenizer`, and the pipeline that prepares a page and makes answers."""
        self.pictures = Pictures(self.archive)
        self.model = self.archive.model(getattr(transformers, self.auto_class))
        self.tokenizer = self.archive.processor(transformers.AutoTokenizer)
        self.tokenizer.padding_side = "right"
        processor, files = None, ("preprocessor_config.json", "processor_config.json")
        if any((self.archive.folder / name).is_file() for name in files):
            processor = self.archive.processor(transformers.AutoImageProcessor)
            processor.apply_ocr = False  # the words come with the request
        # It knows how to cut a page in parts and how to choose among spans; the model is run here.
        pipeline: Any = transformers.DocumentQuestionAnsweringPipeline
        self.pipeline = pipeline(
            model=self.model, tokenizer=self.tokenizer, image_processor=processor, device=self.model.device
        )
        self.limit = TokenRows(self.archive, self.model, self.tokenizer).limit

    def fit_to_model(self, query: Query) -> None:
        """Measure the picture."""
        self.pictures.read(query)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a part of the page."""
        return each(queries, self.parts)

    def parts(self, query: Query) -> list[Item]:
        """Return the parts of one page.

        Raises:
            Refused: Words or boxes are missing or can't be.
        """
        raise NotImplementedError

    def page(self, query: Query) -> Fields:
        """Return the question, and the picture where there is one."""
        count_texts(query, [(query.fields["question"], query.fields.get("word_boxes"))])
        inputs: Fields = {"question": query.fields["question"]}
        if "image" in query.fields:
            inputs["image"] = self.pictures.decoded(query.fields["image"])
        return inputs

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The `top_k` best answers."""
        names = ("top_k", "max_answer_len", "handle_impossible_answer")
        return self.pipeline.postprocess(
            [{**row, **(item.source or {})} for row, item in zip(rows, items, strict=True)],
            **{name: query.parameters[name] for name in names},
        )


class WrittenAnswers(DocumentQuestionAnswering):
    """By a Donut: it reads the page itself, and writes."""

    auto_class = "AutoModelForImageTextToText"

    def parts(self, query: Query) -> list[Item]:
        """The whole page is one part.

        Raises:
            Refused: There is no picture of it, or it can't be opened.
        """
        inputs = self.page(query)
        if "image" not in inputs:
            raise Refused(NO_IMAGE, 422)
        tensors = [tensors_of(part, self.model.dtype) for part in self.pipeline.preprocess(inputs)]
        return [Item(one, PAGE, shapes_of(one, padded=False)) for one in tensors]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """What the pipeline makes answers of, a row an item."""
        batch = together([item.inputs for item in pack], self.device, self.tokenizer.pad_token_id or 0)
        options = self.pipeline._prepare_generate_kwargs(stopping_early([item.waiting for item in pack]))
        sequences = self.model.generate(**batch, **options).cpu()
        return [{"sequences": row[None]} for row in sequences]


class FoundAnswers(DocumentQuestionAnswering):
    """By a LayoutLM: a span of the page's words, which the client sends."""

    auto_class = "AutoModelForDocumentQuestionAnswering"

    def parts(self, query: Query) -> list[Item]:
        """Cut one page.

        Raises:
            Refused: Words or boxes are missing or can't be.
        """
        inputs = self.page(query)
        if "image" not in inputs and self.model.config.model_type == "layoutlmv2":
            raise Refused(NO_IMAGE, 422)
        if "word_boxes" not in query.fields:
            raise Refused(
                "word_boxes is missing: this model reads no text from an image; send "
                '[["word", [left, top, right, bottom]], ...] in thousandths of the page', 422,
            )  # fmt: skip
        inputs["word_boxes"] = [_word_box(*entry) for entry in query.fields["word_boxes"]]
        window = self._window(query)
        items = [self._item(part) for part in self.pipeline.preprocess(inputs, **window)]
        query.allowance.take(REQUEST_ROWS, len(items) * query.parameters["top_k"] - 1)
        return items

    def _window(self, query: Query) -> Parameters:
        """Return the length of a part and how far it overlaps the next.

        Raises:
            Refused: No word fits beside the question, or the page has too many parts.
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
        texts = [word for word, _ in query.fields["word_boxes"]]
        if not fits(self.tokenizer, query, texts, room - stride) and query.failure is not None:
            raise query.failure
        return {"max_seq_len": length, "doc_stride": stride}

    def _item(self, part: Mapping[str, Any]) -> Item:
        tensors = tensors_of(part, self.model.dtype)
        source = {name: part[name] for name in ("p_mask", "word_ids", "words", "attention_mask")}
        return Item(tensors, tensors["input_ids"].shape[1], shapes_of(tensors, padded=True), source)

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """What the pipeline makes answers of, a row an item."""
        batch = together([item.inputs for item in pack], self.device, self.tokenizer.pad_token_id or 0)
        output = self.model(**batch)
        starts, ends = output.start_logits.float().cpu(), output.end_logits.float().cpu()
        return [
            {"start_logits": start[None, : item.length], "end_logits": end[None, : item.length]}
            for start, end, item in zip(starts, ends, pack, strict=True)
        ]


def _word_box(word: Any, box: Any) -> tuple[str, list[int]]:
    edges = check(box, {"type": "array", "items": EDGE, "minItems": 4, "maxItems": 4}, "word_boxes: a box")
    if edges[0] > edges[2] or edges[1] > edges[3]:
        raise Refused(
            "word_boxes: a box is [left, top, right, bottom]: right and bottom can't come first", 422
        )
    return check(word, INPUT_TEXT, "word_boxes: a word"), edges
