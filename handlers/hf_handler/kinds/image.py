"""Tasks that ask a model about one picture."""

from collections.abc import Sequence
from typing import Any, ClassVar

import transformers

from hf_handler.failures import each
from hf_handler.items import Item, Query, own_pack
from hf_handler.labels import NamedLabels
from hf_handler.media.files import FILES
from hf_handler.media.pictures import GREY, PATCH, PICTURE_ALIASES, Pictures
from hf_handler.task import Task
from hf_handler.tensors import separated, shapes_of, tensors_of, together

# The part of an interface that says: one picture.
A_PICTURE: dict[str, Any] = {
    "fields": {"image": FILES},
    "forms": (("image",),),
    "media": ("image",),
    "several": ("image",),
    "aliases": PICTURE_ALIASES,
    "example": GREY,
}


class ImageTask(Task):
    """A task that asks a model about one picture; only those of one size run together.

    An item's `inputs` are what the processor made of the picture, each `1 x ...`; its `source` is the
    picture's height and width in pixels, its `length` the size the model sees in patches.

    Attributes:
        auto_class: Name of the `AutoModel*` class.
    """

    budget = 2**11  # patches, see PATCH
    budget_on_gpu = 2**15
    auto_class: ClassVar[str]

    def load(self) -> None:
        """Set `pictures`, `model`, `processor` and `labels`."""
        self.pictures = Pictures(self.archive)
        self.model = self.archive.model(getattr(transformers, self.model_class()))
        self.processor = self.archive.processor(transformers.AutoImageProcessor)
        self.labels = NamedLabels(self.model.config.id2label)

    def model_class(self) -> str:
        """Return the name of the `AutoModel*` class that loads this model."""
        return self.auto_class

    def fit_to_model(self, query: Query) -> None:
        """Measure the picture."""
        self.pictures.read(query)

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a picture."""
        return each(queries, self.item)

    def item(self, query: Query) -> list[Item]:
        """Return the work of one query.

        Raises:
            Refused: The file is no picture, or too large.
        """
        picture = self.pictures.decoded(query.fields["image"])
        inputs = tensors_of(self.processor(images=[picture], return_tensors="pt"), self.model.dtype)
        pixels = inputs["pixel_values"]
        shape = (
            shapes_of(inputs, padded=False) if len(pixels) == 1 else own_pack()
        )  # cut into several pictures
        length = max(1, pixels.numel() // (pixels.shape[-3] * PATCH**2))
        return [Item(inputs, length, shape, (picture.height, picture.width))]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Return the model's output, on the CPU; an object with tensors (1 x ...) for each item."""
        batch = together([item.inputs for item in pack], self.device)
        return separated(self.model(**batch), len(pack))
