"""The demo's sentences, and their embeddings without a server to compare with."""

from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from vertex_torchserve.demo.mean_pooling import unit_means

_SUBJECTS = (
    "The pipeline",
    "A new model",
    "The endpoint",
    "My colleague",
    "Nobody",
    "The archive",
    "A batch",
)
_PREDICATES = (
    "runs every night.",
    "answers within fifty milliseconds, on two small cores, for as long as it is asked.",
    "was trained on other data than we thought.",
    "is ready.",
    "asks for the same thing twice and gets the same answer.",
)
SENTENCES = [f"{subject} {predicate}" for subject in _SUBJECTS for predicate in _PREDICATES]


def embed_directly(model_folder: Path, sentences: list[str]) -> torch.Tensor:
    """Embeddings of the model run directly, without a server and without the handler.

    Args:
        model_folder: The model's folder.
        sentences: N sentences.

    Returns:
        Shape (N, 384).
    """
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(model_folder, local_files_only=True)
    model = AutoModel.from_pretrained(model_folder, local_files_only=True).eval()
    tokens = tokenizer(sentences, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**tokens).last_hidden_state
    return unit_means(hidden, tokens["attention_mask"])


def smallest_cosine(served: list[list[float]], direct: torch.Tensor) -> float:
    """The smallest cosine between embeddings of the same sentence.

    Args:
        served: N embeddings of 384 floats.
        direct: Shape (N, 384).
    """
    return float(torch.nn.functional.cosine_similarity(torch.tensor(served), direct).min())
