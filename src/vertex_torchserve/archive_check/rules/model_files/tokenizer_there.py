"""Whether a model of text has its tokenizer."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# What transformers' tokenizers are saved as.
_FILES = (
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.txt", "vocab.json", "vocab.model",
    "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model", "source.spm", "merges.txt", "bpe.codes",
)  # fmt: skip
# A model of images or sounds has one of these in its tokenizer's place.
_OTHERS = ("preprocessor_config.json", "processor_config.json", "feature_extractor_config.json")


@rule
def tokenizer_there(subject: Subject) -> Iterator[Finding]:
    """A model of text for the reference handler has its tokenizer beside it.

    The training often saves the model alone: `model.save_pretrained(folder)` without
    `tokenizer.save_pretrained(folder)`.

    Fix: save the tokenizer into the same folder, or package with `--tokenizer`.
    """
    config = subject.json("config.json")
    if not subject.by_reference_handler or "vocab_size" not in config:
        return
    if not any(subject.holds(name) for name in (*_FILES, *_OTHERS)) and not any(
        name.endswith(".tiktoken") for name in subject.names
    ):
        yield error(
            "tokenizer.json",
            f"there is no tokenizer beside config.json ({config.get('model_type', 'a model of text')}); "
            "looked for "
            f"were {', '.join(_FILES[:4])} and others",
            "save it with `tokenizer.save_pretrained(FOLDER)`, or package with `--tokenizer`",
        )
