"""image-to-text: a description of a picture."""

from collections.abc import Sequence
from typing import Any

import transformers

from hf_handler.failures import each
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.image import A_PICTURE
from hf_handler.kinds.picture_prompts import PictureWriter
from hf_handler.media.pictures import GREY, PICTURE_ALIASES, Pictures
from hf_handler.task import Task
from hf_handler.text.generation_parameters import GENERATED, GENERATION, GENERATION_ALIASES
from hf_handler.text.writer import BUDGET
from hf_handler.without_effect import FETCHED


class ImageToText(Task):
    """A description of a picture."""

    name = "image-to-text"
    interface = Interface(
        **{name: A_PICTURE[name] for name in ("fields", "forms", "media", "several")},
        aliases={**GENERATION_ALIASES, **PICTURE_ALIASES},
        parameters={**GENERATION, **FETCHED},
        prediction=GENERATED,
        example={"image": GREY, "parameters": {"max_new_tokens": 2}},
    )
    budget = BUDGET

    def load(self) -> None:
        """Set `model`, and what opens pictures, prepares them and writes about them."""
        self.pictures = Pictures(self.archive)
        self.model = self.archive.model(transformers.AutoModelForImageTextToText)
        self.processor = self.archive.processor(transformers.AutoImageProcessor)
        tokenizer = self.archive.processor(transformers.AutoTokenizer)
        self.about = PictureWriter(self.archive, self.model, tokenizer)

    def fit_to_model(self, query: Query) -> None:
        """Measure the picture."""
        self.pictures.read(query)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a picture."""
        return each(queries, self.items)

    def items(self, query: Query) -> list[Item]:
        """Return the picture alone, as what is written about.

        Raises:
            Refused: It can't be used, or the parameters don't go together.
        """
        picture = self.pictures.decoded(query.fields["image"])
        return [
            self.about.item(
                self.processor(images=picture, return_tensors="pt"), query.parameters, query.allowance
            )
        ]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """The tokens of each item's sequences."""
        return self.about.write(pack, self.device)

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence."""
        return [{"generated_text": text} for text in self.about.texts(rows[0], query.parameters)]
