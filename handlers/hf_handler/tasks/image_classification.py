"""image-classification: the labels of a picture."""

from typing import Any

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.image import A_PICTURE, ImageTask
from hf_handler.labels import FUNCTION, LABEL, label_function, ranked_labels, scores_of
from hf_handler.schema import ALL_OR_COUNT, list_of
from hf_handler.without_effect import FETCHED


class ImageClassification(ImageTask):
    """The `top_k` best labels of a picture."""

    name = "image-classification"
    auto_class = "AutoModelForImageClassification"
    interface = Interface(
        **A_PICTURE,
        parameters={
            "top_k": {**ALL_OR_COUNT, "default": 5},
            "function_to_apply": {**FUNCTION, "default": "default"},
            **FETCHED,
        },
        prediction=list_of(LABEL),
    )

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """Labels and scores, best first."""
        function = query.parameters["function_to_apply"]
        function = label_function(self.model.config) if function == "default" else function
        scores = scores_of(rows[0].logits[0], function).tolist()
        return ranked_labels(self.labels, scores, query.parameters["top_k"])
