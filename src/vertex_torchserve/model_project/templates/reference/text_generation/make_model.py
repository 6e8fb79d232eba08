"""Write model/: a tiny GPT-2 with random weights. Your own `save_pretrained` goes in its place."""

import torch
import transformers

WORDS = ["Once", "upon", "a", "time", "there", "was", "king", "who", "had", "three", "daughters"]
END = "<|endoftext|>"


def main() -> None:
    """Make the model, the same each time."""
    torch.manual_seed(0)
    letters = sorted({letter for word in WORDS for letter in f"Ġ{word}"})
    vocabulary = {piece: number for number, piece in enumerate([END, *letters])}
    tokenizer = transformers.GPT2TokenizerFast(
        vocab=vocabulary, merges=[], bos_token=END, eos_token=END, unk_token=END, model_max_length=64
    )
    config = transformers.GPT2Config(
        vocab_size=len(vocabulary),
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=2,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained("model")
    tokenizer.save_pretrained("model")


if __name__ == "__main__":
    main()
