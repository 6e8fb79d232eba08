"""visual-question-answering: the answer to a question about a picture."""

from typing import Any

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.generation import GENERATION, GENERATION_ALIASES
from hf_handler.kinds.picture_to_text import PictureToText
from hf_handler.labels import NamedLabels, ranked_labels
from hf_handler.media.files import FILE
from hf_handler.media.pictures import GREY, PICTURE_ALIASES
from hf_handler.schema import COUNT, SCORE, TEXT, list_of, record
from hf_handler.tensors import shapes_of, together


class VisualQuestionAnswering(PictureToText):
    """The answer to a question about a picture: the `top_k` best of those a model knows, or written."""

    name = "visual-question-answering"
    auto_class = "AutoModelForVisualQuestionAnswering"
    interface = Interface(
        fields={"image": FILE, "question": TEXT},
        forms=(("image", "question"),),
        media=("image",),
        aliases={**GENERATION_ALIASES, **PICTURE_ALIASES, "text": "question"},
        parameters={**GENERATION, "top_k": {**COUNT, "default": 5}},
        prediction={
            "anyOf": [list_of(record({"score": SCORE, "answer": TEXT})), list_of(record({"answer": TEXT}))]
        },
        example={"image": GREY, "question": "what?", "parameters": {"max_new_tokens": 2}},
    )

    def load(self) -> None:
        """Load, and see what kind of model it is."""
        super().load()
        self.writes = self.model.can_generate()
        self.labels = NamedLabels(self.model.config.id2label)

    def prompt(self, query: Query) -> list[Item]:
        """The question's tokens and the picture."""
        picture = self.pictures.open(query.fields["image"])
        tokens = self.tokenizer(query.fields["question"], return_tensors="pt")
        return [self.prepared({**tokens, **self.processor(images=picture, return_tensors="pt")})]

    def plan(self, query: Query, item: Item) -> None:
        """Here `top_k` is how many answers, not how to sample."""
        if self.writes:
            wanted = {key: value for key, value in query.parameters.items() if key != "top_k"}
            super().plan(Query(query.fields, wanted), item)
        else:
            item.group = shapes_of(item.source, padded=True)

    def run(self, pack: list[Item], streamer: Any = None) -> list[Any]:
        """Sequences, or the logits of the answers, a row an item."""
        if self.writes:
            return super().run(pack)
        batch = together([item.source for item in pack], self.device, self.tokenizer.pad_token_id or 0)
        return list(self.model(**batch).logits.float().cpu())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record an answer."""
        if self.writes:
            return [{"answer": text.strip()} for text in self.written(query, rows[0])]
        ranked = ranked_labels(self.labels, rows[0].sigmoid().tolist(), query.parameters["top_k"])
        return [{"score": one["score"], "answer": one["label"]} for one in ranked]
