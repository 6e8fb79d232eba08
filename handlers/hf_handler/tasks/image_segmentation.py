"""image-segmentation: the regions of a picture, as masks."""

import base64
from typing import Any, ClassVar

import numpy
import torch
import transformers

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.image import A_PICTURE, ImageTask
from hf_handler.schema import NUMBER, SCORE, TEXT, Fields, Refused, Schema, list_of, record
from hf_handler.without_effect import FETCHED

FRACTION: Schema = {**NUMBER, "minimum": 0, "maximum": 1}


# From which score on a region counts, and a pixel of it.
THRESHOLDS = {
    "threshold": {**FRACTION, "default": 0.9},
    "mask_threshold": {**FRACTION, "default": 0.5},
    "overlap_mask_area_threshold": {**FRACTION, "default": 0.5},
}


class ImageSegmentation(ImageTask):
    """The regions of a picture: each a mask as large as the picture, a PNG of black and white."""

    name = "image-segmentation"
    interface = Interface(
        **A_PICTURE,
        parameters={
            "subtask": {"type": "string", "enum": ["panoptic", "instance", "semantic"]},
            **THRESHOLDS,
            **FETCHED,
        },
        prediction=list_of(
            record({"score": {"anyOf": [SCORE, {"type": "null"}]}, "label": TEXT, "mask": TEXT})
        ),
    )
    # Every label, or region, is scaled to the picture's size before one is chosen: 4 GiB of floats.
    values: ClassVar[int] = 2**30

    def model_class(self) -> str:
        """Return the kind of segmentation that transformers has this model for."""
        kinds = [f"AutoModelFor{kind}Segmentation" for kind in ("Semantic", "Universal", "Instance")]
        config = type(self.archive.config())
        return next(
            (kind for kind in kinds if config in getattr(transformers, kind)._model_mapping), kinds[0]
        )

    def item(self, query: Query) -> list[Item]:
        """As for any picture, if its answer fits the memory."""
        (item,) = super().item(query)
        height, width = item.source
        config = self.model.config
        layers = max(config.num_labels, getattr(config, "num_queries", None) or 1)
        if height * width * layers > self.values:
            raise Refused(
                f"the image has {width} x {height} pixels, the model chooses from {layers} regions for each: "
                f"send one of at most {self.values // layers} pixels", 413,
            )  # fmt: skip
        return [item]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """One record a region."""
        wanted, sizes = query.parameters.get("subtask"), [items[0].source]
        for subtask in ("panoptic", "instance"):
            method = getattr(self.processor, f"post_process_{subtask}_segmentation", None)
            if method is not None and wanted in {None, subtask}:
                (found,) = method(
                    rows[0],
                    **{name: query.parameters[name] for name in THRESHOLDS},
                    target_sizes=sizes,
                )
                return [
                    self._region(part["score"], part["label_id"], found["segmentation"] == part["id"])
                    for part in found["segments_info"]
                ]
        method = getattr(self.processor, "post_process_semantic_segmentation", None)
        if method is None or wanted not in {None, "semantic"}:
            raise Refused(f"subtask {wanted} is not what this model does", 422)
        (found,) = method(rows[0], target_sizes=sizes)
        return [self._region(None, label, found == label) for label in found.unique().tolist()]

    def _region(self, score: float | None, label: int, mask: torch.Tensor) -> Fields:
        import io

        stream = io.BytesIO()
        self.pictures.image.fromarray(mask.numpy().astype(numpy.uint8) * 255).save(stream, "PNG")
        encoded = base64.b64encode(stream.getvalue()).decode()
        return {"score": score, "label": self.labels[label], "mask": encoded}
