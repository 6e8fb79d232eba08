"""image-to-text: a description of a picture."""

from typing import Any

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.generation import GENERATED, GENERATION, GENERATION_ALIASES
from hf_handler.kinds.picture_to_text import PictureToText
from hf_handler.media.files import FILE
from hf_handler.media.pictures import GREY, PICTURE_ALIASES


class ImageToText(PictureToText):
    """A description of a picture."""

    name = "image-to-text"
    auto_class = "AutoModelForImageTextToText"
    interface = Interface(
        fields={"image": FILE},
        forms=(("image",),),
        media=("image",),
        aliases={**GENERATION_ALIASES, **PICTURE_ALIASES},
        parameters=GENERATION,
        prediction=GENERATED,
        example={"image": GREY, "parameters": {"max_new_tokens": 2}},
    )

    def prompt(self, query: Query) -> list[Item]:
        """The picture alone."""
        picture = self.pictures.open(query.fields["image"])
        return [self.prepared(self.processor(images=picture, return_tensors="pt"))]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence."""
        return [{"generated_text": text} for text in self.written(query, rows[0])]
