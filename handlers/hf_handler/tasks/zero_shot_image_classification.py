"""zero-shot-image-classification: how well each of the labels sent fits a picture."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import transformers

from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.image import A_PICTURE, ImageTask
from hf_handler.labels import CANDIDATE_LABELS, LABEL, LABEL_ALIASES, list_labels, ranked_labels, scores_of
from hf_handler.media.pictures import GREY, PICTURE_ALIASES
from hf_handler.schema import INPUT_LABEL, Refused, list_of
from hf_handler.tensors import together
from hf_handler.text.admission import count_texts
from hf_handler.text.token_rows import TokenRows
from hf_handler.without_effect import FETCHED


class Asked(NamedTuple):
    """What a picture is asked; the group of an item.

    Attributes:
        shapes: Of the picture's tensors.
        texts: The labels in their template.
    """

    shapes: Hashable
    texts: tuple[str, ...]


class ZeroShotImageClassification(ImageTask):
    """How well each of the `candidate_labels` fits a picture."""

    name = "zero-shot-image-classification"
    auto_class = "AutoModelForZeroShotImageClassification"
    interface = Interface(
        **{name: A_PICTURE[name] for name in ("fields", "forms", "media", "several")},
        aliases={**PICTURE_ALIASES, **LABEL_ALIASES},
        parameters={
            "candidate_labels": CANDIDATE_LABELS,
            "hypothesis_template": {**INPUT_LABEL, "default": "This is a photo of {}."},
            **FETCHED,
        },
        prediction=list_of(LABEL),
        example={"image": GREY, "candidate_labels": ["film", "food"]},
    )

    def load(self) -> None:
        """Load, and see how long a label may be."""
        super().load()
        self.tokenizer = self.archive.processor(transformers.AutoTokenizer)
        self.limit = TokenRows(self.archive, self.model, self.tokenizer).limit
        self.is_siglip = "siglip" in self.model.config.model_type

    def fit_to_model(self, query: Query) -> None:
        """Measure the picture, and make a list of the labels."""
        super().fit_to_model(query)
        list_labels(query, self.interface.parameters["candidate_labels"])

    def item(self, query: Query) -> list[Item]:
        """Pictures asked about the same labels share a pack."""
        template = query.parameters["hypothesis_template"]
        texts = tuple(template.replace("{}", label) for label in query.parameters["candidate_labels"])
        count_texts(query, texts)
        # Siglip was trained with texts of this length, cut or padded.
        fixed = {"padding": "max_length", "max_length": 64, "truncation": True} if self.is_siglip else {}
        tokens = self.tokenizer(list(texts), return_tensors="pt", **{"padding": True, **fixed})
        if tokens["input_ids"].shape[1] > self.limit:
            raise Refused(f"a candidate label has more than the {self.limit} tokens the model takes", 422)
        (item,) = super().item(query)
        item.group = Asked(item.group, texts)
        item.inputs = (item.inputs, dict(tokens))
        return [item]

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """Logits of the labels, a row an item."""
        batch = together([item.inputs[0] for item in pack], self.device)
        texts = {name: value.to(self.device) for name, value in pack[0].inputs[1].items()}
        return self.model(**texts, **batch).logits_per_image.float().cpu()  # type: ignore[no-any-return]

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The labels, best first."""
        scores = scores_of(rows[0], "sigmoid" if self.is_siglip else "softmax").tolist()
        return ranked_labels(dict(enumerate(query.parameters["candidate_labels"])), scores, None)
