"""Write model/: a tiny ViT with random weights. Your own `save_pretrained` goes in its place."""

import torch
import transformers

LABELS = ["cat", "dog", "bird"]


def main() -> None:
    """Make the model, the same each time."""
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.3,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    transformers.ViTForImageClassification(config).save_pretrained("model")
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained("model")


if __name__ == "__main__":
    main()
