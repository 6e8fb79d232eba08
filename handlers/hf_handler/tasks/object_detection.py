"""object-detection: what is where in a picture."""

from typing import Any

import torch

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.image import A_PICTURE, ImageTask
from hf_handler.schema import NUMBER, SCORE, TEXT, Schema, list_of, record
from hf_handler.without_effect import FETCHED

BOX: Schema = record({edge: {"type": "integer"} for edge in ("xmin", "ymin", "xmax", "ymax")})


class ObjectDetection(ImageTask):
    """What is where in a picture, as far as the model is surer than `threshold`; boxes in pixels."""

    name = "object-detection"
    auto_class = "AutoModelForObjectDetection"
    interface = Interface(
        **A_PICTURE,
        parameters={"threshold": {**NUMBER, "minimum": 0, "maximum": 1, "default": 0.5}, **FETCHED},
        prediction=list_of(record({"score": SCORE, "label": TEXT, "box": BOX})),
    )

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record an object."""
        (found,) = self.processor.post_process_object_detection(
            rows[0], query.parameters["threshold"], torch.tensor([items[0].source])
        )
        columns = (found["scores"].tolist(), found["labels"].tolist(), found["boxes"].int().tolist())
        return [
            {
                "score": score,
                "label": self.labels[label],
                "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)),
            }
            for score, label, box in zip(*columns, strict=True)
        ]
