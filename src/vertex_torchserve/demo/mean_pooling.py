"""The sentence embedding of all-MiniLM-L6-v2, from what its encoder gives for each token."""

import torch


def unit_means(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The mean over each text's tokens, made one long: what the model's own folder asks for.

    Its `1_Pooling/config.json` says mean over the tokens that are no padding, its `modules.json` unit length.

    Args:
        hidden: The encoder's last hidden state, shape (texts, tokens, 384).
        attention_mask: 1 for each token and 0 for padding, shape (texts, tokens).

    Returns:
        Shape (texts, 384), float32.
    """
    mask = attention_mask.unsqueeze(-1)
    means = (hidden * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(means.float(), dim=1)
