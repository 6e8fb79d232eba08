"""Write model/: a tiny BERT that classifies. Your own `save_pretrained` goes in its place."""

import torch
import transformers

WORDS = [
    "how",
    "do",
    "i",
    "serve",
    "this",
    "with",
    "torchserve",
    "the",
    "film",
    "was",
    "good",
    "and",
    "plot",
    "bad",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LABELS = ["NEGATIVE", "POSITIVE"]


def main() -> None:
    """Make the model, the same each time."""
    torch.manual_seed(0)
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = transformers.BertTokenizerFast(vocab=vocabulary, model_max_length=64)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    transformers.BertForSequenceClassification(config).save_pretrained("model")
    tokenizer.save_pretrained("model")


if __name__ == "__main__":
    main()
