"""Scores and names of labels, as transformers' pipelines give them."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from hf_handler.bounds import LABELS
from hf_handler.items import Query
from hf_handler.schema import INPUT_LABEL, INPUT_TEXT, SCORE, TEXT, Refused, Schema, check, list_of, record

LABEL: Schema = record({"label": TEXT, "score": SCORE})


# The labels of zero-shot tasks come with the request.
LIST_OF_LABELS: Schema = {**list_of(INPUT_LABEL), "minItems": 1, "maxItems": LABELS}
CANDIDATE_LABELS: Schema = {"anyOf": [LIST_OF_LABELS, {**INPUT_TEXT, "minLength": 1}]}
LABEL_ALIASES = {"candidateLabels": "candidate_labels", "labels": "candidate_labels"}


FUNCTION: Schema = {"type": "string", "enum": ["default", "softmax", "sigmoid", "none"]}


def label_function(config: Any) -> str:
    """Return how transformers' pipelines make scores of a classifier's logits.

    Args:
        config: The model's.

    Returns:
        `softmax` (one label is right), `sigmoid` (each may be), or `none` (numbers, not probabilities).
    """
    if config.problem_type == "regression":
        return "none"
    many = config.problem_type == "multi_label_classification" or config.num_labels == 1
    return "sigmoid" if many else "softmax"


def scores_of(logits: torch.Tensor, function: str) -> torch.Tensor:
    """Make scores of logits.

    Args:
        logits: `... x labels`.
        function: `softmax`, `sigmoid` or `none`.

    Returns:
        Float32, of the same shape.
    """
    logits = logits.float()
    if function == "none":
        return logits
    return logits.sigmoid() if function == "sigmoid" else logits.softmax(dim=-1)


def ranked_labels(labels: Mapping[int, str], row: Sequence[float], top_k: int | None) -> list[Any]:
    """Return the labels with the highest scores, highest first, each with its score.

    Args:
        labels: Name of each label, by its index.
        row: One score a label.
        top_k: How many to return; None returns all.
    """
    order = sorted(range(len(row)), key=lambda index: -row[index])[:top_k]
    return [{"label": labels[index], "score": row[index]} for index in order]


def list_labels(query: Query, schema: Schema) -> None:
    """Make a list of a query's `candidate_labels`, which may come as one text with commas.

    Args:
        query: With the template that the labels go into.
        schema: `CANDIDATE_LABELS`, with the operator's bounds; those of a list hold for the text, too.

    Raises:
        Refused: There are none or too many, or `hypothesis_template` has no place for them.
    """
    labels = query.parameters.get("candidate_labels")
    if isinstance(labels, str):
        labels = [label.strip() for label in labels.split(",") if label.strip()]
        if labels:
            check(labels, schema["anyOf"][0], "candidate_labels")
    if not labels:
        raise Refused("candidate_labels is missing: a list of texts, or one text with commas")
    template = query.parameters["hypothesis_template"]
    if template.count("{}") != 1 or template.count("{") + template.count("}") != 2:
        raise Refused("hypothesis_template must have {} once, where the label goes, and no other brace")
    query.parameters = {**query.parameters, "candidate_labels": labels}


class NamedLabels(dict[int, str]):
    """Names of labels by their index; a label without a name gets the one transformers would give it."""

    def __missing__(self, index: int) -> str:
        return f"LABEL_{index}"
