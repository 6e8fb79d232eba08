"""visual-question-answering: the answer to a question about a picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import transformers

from hf_handler.archive import Archive
from hf_handler.failures import each
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.picture_prompts import PicturePrompts, PictureWriter
from hf_handler.labels import NamedLabels, ranked_labels
from hf_handler.media.files import FILE
from hf_handler.media.pictures import GREY, PICTURE_ALIASES, Pictures
from hf_handler.schema import COUNT, INPUT_TEXT, SCORE, TEXT, list_of, record
from hf_handler.task import Task
from hf_handler.text.admission import count_texts
from hf_handler.text.generation_parameters import GENERATION, GENERATION_ALIASES
from hf_handler.text.writer import BUDGET
from hf_handler.without_effect import FETCHED


class VisualQuestionAnswering(Task):
    """The answer to a question about a picture: ranked (`RankedAnswers`) or written (`WrittenAnswers`)."""

    name = "visual-question-answering"
    interface = Interface(
        fields={"image": FILE, "question": INPUT_TEXT},
        forms=(("image", "question"),),
        media=("image",),
        aliases={**GENERATION_ALIASES, **PICTURE_ALIASES, "text": "question"},
        parameters={**GENERATION, **FETCHED, "top_k": {**COUNT, "default": 5}},
        prediction={
            "anyOf": [list_of(record({"score": SCORE, "answer": TEXT})), list_of(record({"answer": TEXT}))]
        },
        example={"image": GREY, "question": "what?", "parameters": {"max_new_tokens": 2}},
    )

    budget = BUDGET

    @classmethod
    def class_for(cls, archive: Archive) -> type[Task]:
        """Return what asks a model that writes, or one that ranks the answers it knows."""
        models: Any = transformers.AutoModelForVisualQuestionAnswering._model_mapping
        config = type(archive.config())
        return WrittenAnswers if config in models and models[config].can_generate() else RankedAnswers

    def load(self) -> None:
        """Set `model`, `tokenizer`, and what opens pictures and prepares them."""
        self.pictures = Pictures(self.archive)
        self.model = self.archive.model(transformers.AutoModelForVisualQuestionAnswering)
        self.tokenizer = self.archive.processor(transformers.AutoTokenizer)
        self.processor = self.archive.processor(transformers.AutoImageProcessor)

    def fit_to_model(self, query: Query) -> None:
        """Measure the picture."""
        self.pictures.read(query)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a question."""
        return each(queries, self.items)

    def items(self, query: Query) -> list[Item]:
        """Return the work of one query.

        Raises:
            Refused: It can't be used.
        """
        raise NotImplementedError

    def prompt(self, query: Query) -> Mapping[str, Any]:
        """Return the question's tokens and the picture, as tensors (1 x ...)."""
        count_texts(query, [query.fields["question"]])
        picture = self.pictures.decoded(query.fields["image"])
        tokens = self.tokenizer(query.fields["question"], return_tensors="pt")
        return {**tokens, **self.processor(images=picture, return_tensors="pt")}


class WrittenAnswers(VisualQuestionAnswering):
    """By a model that writes its answer, such as BLIP."""

    def load(self) -> None:
        """Load, and set what writes."""
        super().load()
        self.about = PictureWriter(self.archive, self.model, self.tokenizer)

    def items(self, query: Query) -> list[Item]:
        """Plan the answer; here `top_k` is how many answers, not how to sample."""
        parameters = {name: value for name, value in query.parameters.items() if name != "top_k"}
        return [self.about.item(self.prompt(query), parameters, query.allowance)]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The tokens of each item's sequences."""
        return self.about.write(pack, self.device)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence."""
        return [{"answer": text.strip()} for text in self.about.texts(rows[0], query.parameters)]


class RankedAnswers(VisualQuestionAnswering):
    """By a model that gives each answer it knows a score, such as ViLT."""

    def load(self) -> None:
        """Load, and set what is asked and the answers that the model knows."""
        super().load()
        self.prompts = PicturePrompts(self.archive, self.model, self.tokenizer, pads="right")
        self.labels = NamedLabels(self.model.config.id2label)

    def items(self, query: Query) -> list[Item]:
        """Return the question and its picture."""
        item = self.prompts.item(self.prompt(query))
        item.group = self.prompts.shapes(item)
        return [item]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The logits of the answers, a row an item."""
        return list(self.model(**self.prompts.batch(pack, self.device)).logits.float().cpu())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The `top_k` best answers."""
        ranked = ranked_labels(self.labels, rows[0].sigmoid().tolist(), query.parameters["top_k"])
        return [{"score": one["score"], "answer": one["label"]} for one in ranked]
