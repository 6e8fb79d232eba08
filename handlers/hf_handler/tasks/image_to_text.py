"""image-to-text: a description of a picture."""

from typing import Any, ClassVar

from hf_handler.items import Item, Query
from hf_handler.kinds.generation import GENERATED
from hf_handler.kinds.picture_to_text import PictureToText


class ImageToText(PictureToText):
    """A description of a picture."""

    name = "image-to-text"
    auto_class = "AutoModelForImageTextToText"
    prediction: ClassVar = GENERATED

    def prompt(self, query: Query) -> list[Item]:
        """The picture alone."""
        picture = self.pictures.open(query.fields["image"])
        return [self.prepared(self.processor(images=picture, return_tensors="pt"))]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a sequence."""
        return [{"generated_text": text} for text in self.written(query, rows[0])]
